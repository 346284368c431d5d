# Body parts of rendered people, at 96x96. All numbers are ours, made for the
# clock; the leaf adds what it adds to upernet.py.
_base_ = [
    '../models/upernet.py',
    '../datasets/lip_480x480.py',
    '../schedules/seg_adamw_40k.py',
    '../runtime/part_seg.py',
]

data_root = 'data/synthetic_small/lip'
size = (96, 96)
model = dict(
    data_preprocessor=dict(size=size),
    decode_head=dict(channels=64),
    auxiliary_head=dict(channels=64))

train_pipeline = [
    dict(type='LoadPartImage'),
    dict(type='LoadPartLabels'),
    dict(
        type='RandomResize',
        scale=size,
        ratio_range=(0.8, 1.25),
        keep_ratio=False),
    dict(type='RandomCrop', crop_size=size),
    dict(type='RandomPartFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
resize = dict(type='Resize', scale=size, keep_ratio=False)
test_pipeline = [
    dict(type='LoadPartImage'),
    resize,
    *_base_.test_pipeline[2:],
]
tta_pipeline = _base_.tta_pipeline
tta_pipeline[1]['transforms'][0] = [resize]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=30, by_epoch=False),
    dict(type='CosineAnnealingLR', eta_min=0., begin=30, by_epoch=False),
]
train_cfg = dict(max_iters=900, val_interval=300)
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=300))
