# CIHP, 20 parts of each person: 28 280 pictures to train, 5 000 to validate.
# Rendered people instead, all three of
#   --cfg-options train_dataloader.dataset.data_root=data/synthetic/cihp
# and val_dataloader..., test_dataloader...
# The index is made at the first use; with several processes by
#   python tools/dataset_converters/cihp.py data/CIHP --workers 8
data_root = 'data/CIHP'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='CheckImageSize'),  # and the way up
    dict(type='LoadParsing'),
    # short side one of these, long side at most 1400 (reference)
    dict(
        type='RandomChoiceResize',
        scales=[(1400, short) for short in (512, 640, 704, 768, 800, 864)],
        keep_ratio=True),
    dict(type='ParsingRandomFlip', prob=0.5),
    dict(type='PackParsingInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='CheckImageSize'),
    dict(type='Resize', scale=(1333, 800), keep_ratio=True),  # reference
    # the metric reads the labels, at their own size
    dict(
        type='PackParsingInputs',
        meta_keys=('img_id', 'img_path', 'category_path', 'human_path',
                   'ori_shape', 'img_shape', 'scale_factor')),
]

train_dataloader = dict(
    batch_size=2,  # 8 GPUs x 2 = 16
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    batch_sampler=dict(type='AspectRatioBatchSampler'),
    dataset=dict(
        type='CIHPDataset',
        data_root=data_root,
        ann_file='annotations/cihp_train.json',
        id_file='Training/train_id.txt',
        data_prefix=dict(
            img='Training/Images',
            category='Training/Category_ids',
            human='Training/Human_ids'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CIHPDataset',
        data_root=data_root,
        ann_file='annotations/cihp_val.json',
        id_file='Validation/val_id.txt',
        data_prefix=dict(
            img='Validation/Images',
            category='Validation/Category_ids',
            human='Validation/Human_ids'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='ParsingMetric')
test_evaluator = dict(type='ParsingMetric', details=True)
