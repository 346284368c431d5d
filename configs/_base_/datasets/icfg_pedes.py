# ICFG-PEDES: 34 674 pictures of 3 102 persons with a sentence each to train,
# 19 848 of 1 000 to test. Rendered people instead:
#   --cfg-options train_dataloader.dataset.data_root=data/synthetic/icfg_pedes
# and val_dataloader..., test_dataloader...
_base_ = './captioned_persons.py'

data = dict(type='ICFGPEDESDataset', data_root='data/ICFG-PEDES')
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = dict(dataset=data)
