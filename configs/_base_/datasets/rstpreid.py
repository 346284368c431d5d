# RSTPReid: 18 505 pictures of 3 701 persons with two sentences each to train,
# 1 000 of 200 to test. Rendered people instead:
#   --cfg-options train_dataloader.dataset.data_root=data/synthetic/rstpreid
# and val_dataloader..., test_dataloader...
_base_ = './captioned_persons.py'

data = dict(type='RSTPReidDataset', data_root='data/RSTPReid')
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = dict(dataset=data)
