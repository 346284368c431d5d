# Search for rendered people, at 96x48. All numbers are ours, made for the
# clock; the leaf adds the backbone.
_base_ = [
    '../models/transreid.py',
    '../datasets/market1501_256x128.py',
    '../schedules/reid_sgd_120e.py',
    '../runtime/reid.py',
    './warm_cosine.py',
]

data_root = 'data/synthetic_small/market1501'
size = (96, 48)
model = dict(
    # what is not needed is not to be learned first
    data_preprocessor=dict(erase_prob=0.),
    head=dict(num_classes=120))  # persons rendered to train with

resize = dict(type='torchvision/Resize', size=size, interpolation='bicubic')
train_pipeline = [
    *_base_.train_pipeline[:2],
    resize,
    dict(type='torchvision/RandomHorizontalFlip', p=0.5),
    dict(type='torchvision/Pad', padding=4),
    dict(type='torchvision/RandomCrop', size=size),
    *_base_.train_pipeline[-2:],
]
test_pipeline = [
    *_base_.test_pipeline[:2],
    dict(resize, interpolation='bilinear'),
    *_base_.test_pipeline[-2:],
]
train_dataloader = dict(
    batch_size=32,  # 8 persons of 4 pictures each
    num_workers=1,
    dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

# from random weights SGD takes longer than there is time
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01),
    constructor='mmpretrain.BackboneLayerDecayOptimWrapperConstructor')
param_scheduler = _base_.warm_cosine
train_cfg = dict(max_epochs=12, val_interval=4)  # 12 x about 45 iterations
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=4))
