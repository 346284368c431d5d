# MSMT17, version 1 or 2, 1 041 persons: 32 621 pictures to train, those of
# list_val.txt among them, 11 659 queries, a gallery of 82 161. Rendered people
# instead: all three of
#   --cfg-options train_dataloader.dataset.data_root=data/synthetic/msmt17
# and val_dataloader..., test_dataloader..., with model.head.num_classes=750
_base_ = './market1501_256x128.py'

data_root = 'data/MSMT17'

train_dataloader = dict(
    batch_size=256,  # authors, on one GPU: 64 persons of 4 pictures each
    dataset=dict(type='MSMT17Dataset', data_root=data_root))
val_dataloader = dict(
    dataset=dict(reader='MSMT17Dataset', data_root=data_root))
test_dataloader = val_dataloader

auto_scale_lr = dict(base_batch_size=256)  # authors
