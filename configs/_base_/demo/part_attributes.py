# Garments of rendered people, long side 256. All numbers are ours, made for
# the clock; the leaf adds what it adds to ke_rcnn.py, its neck with 64
# channels.
_base_ = [
    '../models/ke_rcnn.py',
    '../datasets/fashionpedia.py',
    '../schedules/det_adamw_32e.py',
    '../runtime/part_attributes.py',
    './warm_cosine.py',
]

data_root = 'data/synthetic_small/fashionpedia'
scale = (256, 256)
model = dict(
    rpn_head=dict(
        in_channels=64, feat_channels=64,
        anchor_generator=dict(scales=[4])),  # parts of 256 pixels are small
    roi_head=dict(
        max_objects=4,  # each asks for 294 attributes
        bbox_roi_extractor=dict(out_channels=64),
        bbox_head=dict(
            in_channels=64, conv_out_channels=64, fc_out_channels=256),
        mask_roi_extractor=dict(out_channels=64),
        mask_head=dict(in_channels=64, conv_out_channels=64, num_convs=2),
        attribute_head=dict(
            in_channels=64,
            class_channels=256,
            dims=64,
            hidden_dims=128,
            dropout=0.,
            knowledge=f'{data_root}/train_norm_attr_knowledge_matrix.npy')),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=500, max_per_img=500),
        rcnn=dict(sampler=dict(num=128))),
    test_cfg=dict(
        rpn=dict(nms_pre=500, max_per_img=500),
        rcnn=dict(max_per_img=20)))  # an untrained one finds a hundred

resize = dict(
    type='RandomResize', scale=scale, ratio_range=(0.8, 1.25), keep_ratio=True)
train_pipeline = [
    *_base_.train_pipeline[:3],
    resize,
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

optim_wrapper = dict(type='OptimWrapper', optimizer=dict(lr=1e-3))
param_scheduler = _base_.warm_cosine
train_cfg = dict(max_epochs=4, val_interval=2)
default_hooks = dict(logger=dict(interval=25))
