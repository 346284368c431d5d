# CUHK-PEDES: 68 126 sentences about 34 054 pictures of 11 003 persons to
# train, 6 156 about 3 074 of 1 000 to test. Rendered people instead:
#   --cfg-options train_dataloader.dataset.data_root=data/synthetic/cuhk_pedes
# and val_dataloader..., test_dataloader...
_base_ = './captioned_persons.py'

data = dict(type='CUHKPEDESDataset', data_root='data/CUHK-PEDES')
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = dict(dataset=data)
