# CrowdHuman, full-body boxes: 15 000 pictures to train, 4 370 to validate.
# Rendered people instead, all three of
#   --cfg-options train_dataloader.dataset.data_root=data/synthetic/crowdhuman
# and val_dataloader..., test_dataloader...
data_root = 'data/CrowdHuman'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='CheckImageSize'),  # and the way up
    dict(type='LoadAnnotations', with_bbox=True),
    # long side at most 1400, short side at most 800; boxes are not clipped
    dict(
        type='Resize',
        scale=(1400, 800),
        keep_ratio=True,
        clip_object_border=False),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='CheckImageSize'),
    dict(type='Resize', scale=(1400, 800), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),  # after: not resized
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape',
                   'scale_factor')),
]

train_dataloader = dict(
    batch_size=2,  # 8 GPUs x 2 = 16
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    batch_sampler=dict(type='AspectRatioBatchSampler'),
    dataset=dict(
        type='CrowdHumanPersonDataset',
        data_root=data_root,
        ann_file='annotation_train.odgt',
        data_prefix=dict(img='Images/'),
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CrowdHumanPersonDataset',
        data_root=data_root,
        ann_file='annotation_val.odgt',
        data_prefix=dict(img='Images/'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='CrowdHumanPersonMetric', metric=['AP', 'MR'])
test_evaluator = dict(type='CrowdHumanPersonMetric', metric=['AP', 'MR', 'JI'])
