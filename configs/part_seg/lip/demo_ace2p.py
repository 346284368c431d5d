# A-CE2P with self-correction in minutes on a CPU: StarNet-S3 at 96x64 on
# rendered people. All numbers are ours, made for the clock.
#   python tools/dataset_converters/make_synthetic_people.py \
#       data/synthetic_small --formats lip --size small
#   python tools/train.py configs/part_seg/lip/demo_ace2p.py
_base_ = './starnet_s3_authors.py'

data_root = 'data/synthetic_small/lip'
size = (96, 64)
model = dict(
    data_preprocessor=dict(size=size),
    decode_head=dict(
        channels=64, context_channels=128, edge_channels=32, low_channels=32))

fit = dict(type='WholePictureAffine', size=size)
train_pipeline = [
    dict(type='LoadPartImage'),
    dict(type='LoadPartLabels'),
    dict(fit, scale_sigma=0.1, rotation_sigma=10),
    dict(type='RandomPartFlip', prob=0.5),
    dict(type='PackPartInputs'),
]
test_pipeline = [
    dict(type='LoadPartImage'),
    fit,
    *_base_.test_pipeline[2:],
]
tta_pipeline = [dict(type='LoadPartImage'), fit, _base_.tta_pipeline[2]]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=25, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        eta_min_ratio=0.002,
        end=2,
        convert_to_iter_based=True),
    dict(
        type='CosineRestartLR',
        periods=[1, 1],
        restart_weights=[0.5, 0.5],
        eta_min_ratio=0.002,
        begin=2,
        convert_to_iter_based=True),
]
# 4 x 312 iterations, averages after 2, 3 and 4
train_cfg = dict(max_epochs=4, val_interval=1)
default_hooks = dict(logger=dict(interval=25), checkpoint=dict(interval=1))
