# Joints of rendered people, at 128x96. All numbers are ours, made for the
# clock; the leaf adds backbone and in_channels.
_base_ = [
    '../models/heatmap_pose.py',
    '../datasets/coco_keypoints_256x192.py',
    '../schedules/pose_adamw_210e.py',
    '../runtime/pose.py',
    './warm_cosine.py',
]

data_root = 'data/synthetic_small/coco'
# width, height; maps at stride 4, at which a cell is 4 % of a standing person
codec = dict(input_size=(96, 128), heatmap_size=(24, 32))
model = dict(
    head=dict(
        out_channels=17,
        deconv_out_channels=(64, 64),
        decoder=dict(_base_.codec, **codec)),
    test_cfg=dict(shift_heatmap=False))  # unbiased targets

crop = dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True)
train_pipeline = [
    dict(type='LoadPersonImage'),
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
    drop_last=True,
    dataset=dict(data_root=data_root, pipeline=train_pipeline))
# annotated boxes: the detector's misses are not what is learned here
val_dataloader = dict(
    num_workers=1,
    dataset=dict(data_root=data_root, bbox_file=None, pipeline=test_pipeline))
test_dataloader = val_dataloader

# a decay of 0.1 is for 210 epochs
optim_wrapper = dict(optimizer=dict(lr=2e-3, weight_decay=0.01))
param_scheduler = _base_.warm_cosine
train_cfg = dict(max_epochs=12, val_interval=4)  # 12 x 170 iterations
default_hooks = dict(
    logger=dict(interval=50), checkpoint=dict(save_best='coco/AP'))
