# Persons and their parts in rendered streets, short side 160. All numbers are
# ours, made for the clock; the leaf adds what it adds to parsing_rcnn.py, its
# neck with 64 channels.
_base_ = [
    '../models/parsing_rcnn.py',
    '../datasets/cihp.py',
    '../schedules/det_adamw_45k.py',
    '../runtime/parsing.py',
]

data_root = 'data/synthetic_small/cihp'
scale = (288, 160)
model = dict(
    rpn_head=dict(in_channels=64, feat_channels=64),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=64),
        bbox_head=dict(in_channels=64, fc_out_channels=256),
        train_rois=8,
        mask_roi_extractor=dict(
            roi_layer=dict(output_size=16), out_channels=64),
        mask_head=dict(
            in_channels=64,
            conv_channels=64,
            aspp_channels=32,
            num_convs=2,
            dilations=(3, 6, 9),  # of half the map
            # the block's GroupNorm has two channels a group at this width,
            # which turns a dull signal into +-1; and norms halve the
            # iterations until looks count more than places
            with_non_local=False,
            norm_cfg=dict(type='BN'),
            roi_feat_size=16,
            out_size=64)),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=500, max_per_img=500),
        rcnn=dict(sampler=dict(num=128))),
    test_cfg=dict(
        rpn=dict(nms_pre=500, max_per_img=500),
        rcnn=dict(max_per_img=20)))  # an untrained one finds a hundred

train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(
        type='RandomChoiceResize',
        scales=[(240, 134), scale, (346, 192)],
        keep_ratio=True),
    *_base_.train_pipeline[4:],
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

optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', eta_min=0., begin=50, by_epoch=False),
]
train_cfg = dict(max_iters=600, val_interval=200)
default_hooks = dict(logger=dict(interval=25), checkpoint=dict(interval=200))
