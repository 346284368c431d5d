# Full-body boxes of rendered crowds, short side 224. All numbers are ours,
# made for the clock; the leaf adds what it adds to faster_rcnn.py, its neck
# with 64 channels.
_base_ = [
    '../models/faster_rcnn.py',
    '../datasets/crowdhuman.py',
    '../schedules/det_adamw_30e.py',
    '../runtime/detection.py',
    './warm_cosine.py',
]

data_root = 'data/synthetic_small/crowdhuman'
scale = (400, 224)
model = dict(
    rpn_head=dict(in_channels=64, feat_channels=64),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=64),
        bbox_head=dict(in_channels=64, fc_out_channels=256)),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=500, max_per_img=500),
        rcnn=dict(sampler=dict(num=128))),
    test_cfg=dict(rpn=dict(nms_pre=500, max_per_img=500)))

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='CheckImageSize'),  # and the way up
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='RandomResize',
        scale=scale,
        ratio_range=(0.8, 1.25),
        keep_ratio=True,
        clip_object_border=False),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    *_base_.test_pipeline[:2],
    dict(type='Resize', scale=scale, keep_ratio=True),
    *_base_.test_pipeline[3:],
]
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = _base_.warm_cosine
train_cfg = dict(max_epochs=3, val_interval=1)  # 3 x 125 iterations
default_hooks = dict(logger=dict(interval=25))
