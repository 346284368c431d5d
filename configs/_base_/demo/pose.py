# Joints of rendered people, at 128x96. All numbers are ours, made for the
# clock; the leaf adds what it adds to heatmap_pose.py.
_base_ = [
    '../models/heatmap_pose.py',
    '../datasets/coco_keypoints_256x192.py',
    '../schedules/pose_adamw_210e.py',
    '../runtime/pose.py',
]

data_root = 'data/synthetic/coco'
codec = dict(input_size=(96, 128), heatmap_size=(24, 32))  # width, height
model = dict(test_cfg=dict(shift_heatmap=False))  # unbiased targets

crop = dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True)
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    # no other change: what is not needed is not to be learned first
    dict(type='RandomFlip', direction='horizontal'),
    crop,
    dict(type='GenerateTarget', encoder=dict(_base_.codec, **codec)),
    dict(type='PackPoseInputs'),
]
test_pipeline = [
    *_base_.test_pipeline[:-2],
    crop,
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    drop_last=True,  # of 129 persons, BatchNorm would see one
    dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=30, by_epoch=False),
    dict(type='MultiStepLR', begin=0, end=48, milestones=[36, 44], gamma=0.1),
]
train_cfg = dict(max_epochs=48, val_interval=12)
default_hooks = dict(logger=dict(interval=10))
