# Attributes of rendered people, at 96x48. All numbers are ours, made for the
# clock; the leaf adds the backbone.
_base_ = [
    '../models/attributes.py',
    '../datasets/pa100k_256x128.py',
    '../schedules/attr_adamw_30e.py',
    '../runtime/attributes.py',
    './warm_cosine.py',
]

data_root = 'data/synthetic_small/pa100k'
size = (96, 48)
resize = dict(type='Resize', scale=size[::-1], backend='pillow')
train_pipeline = [
    dict(type='LoadAnnotatedImage'),
    resize,
    dict(type='RandomCrop', crop_size=size, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='LoadAnnotatedImage'),
    resize,
    dict(type='PackInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = _base_.warm_cosine
train_cfg = dict(max_epochs=6, val_interval=3)  # 6 x 150 iterations
default_hooks = dict(logger=dict(interval=25), checkpoint=dict(interval=3))
