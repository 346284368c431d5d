# Pose in minutes on a CPU: StarNet-S3 at 128x96 on rendered people. Every
# number below is ours, made for the clock and not for quality.
#   python tools/dataset_converters/make_synthetic_people.py data/synthetic \
#       --formats coco --size tiny
#   python tools/train.py configs/pose/coco/demo.py
_base_ = './starnet_s3.py'

data_root = 'data/synthetic/coco'
codec = dict(input_size=(96, 128), heatmap_size=(24, 32))  # width, height
model = dict(
    head=dict(
        deconv_out_channels=(64, 64, 64), decoder=dict(_base_.codec, **codec)))

crop = dict(type='TopdownAffine', use_udp=True, input_size=(96, 128))
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='RandomFlip', direction='horizontal'),
    dict(
        type='RandomBBoxTransform', scale_factor=(0.8, 1.2), rotate_factor=20),
    crop,
    dict(type='GenerateTarget', encoder=dict(_base_.codec, **codec)),
    dict(type='PackPoseInputs'),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    crop,
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=2, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=30, by_epoch=False),
    dict(type='MultiStepLR', begin=0, end=30, milestones=[22, 27], gamma=0.1),
]
train_cfg = dict(max_epochs=30, val_interval=10)
default_hooks = dict(logger=dict(interval=10))
