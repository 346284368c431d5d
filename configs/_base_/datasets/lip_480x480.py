# LIP, 20 classes: 30 462 pictures to train, 10 000 to validate. Rendered
# people instead, all three of
#   --cfg-options train_dataloader.dataset.data_root=data/synthetic/lip
# and val_dataloader..., test_dataloader...
# Labels of one's own: configs/part_seg/own/example.py.
data_root = 'data/LIP'
crop_size = (480, 480)  # HumanBench; height, width
# arms, legs, shoes: for a RandomFlip's swap_seg_labels in a pipeline of one's
# own; RandomPartFlip and PartFlipTTA ask the data set
flip_pairs = [(14, 15), (16, 17), (18, 19)]

train_pipeline = [
    dict(type='LoadPartImage'),  # the way up that its label is
    dict(type='LoadPartLabels'),
    dict(
        type='RandomResize',
        scale=(480, 480),
        ratio_range=(0.5, 1.6),  # HumanBench: 0.5, 0.6 ... 1.6
        keep_ratio=False),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomPartFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadPartImage'),
    dict(type='Resize', scale=(480, 480), keep_ratio=False),
    dict(type='LoadPartLabels'),  # after resizing: at its own size
    dict(type='PackSegInputs'),
]
tta_pipeline = [
    dict(type='LoadPartImage'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale=(480, 480), keep_ratio=False)],
            [dict(type='RandomPartFlip', prob=p) for p in (0., 1.)],
            [dict(type='LoadPartLabels')],
            [dict(type='PackSegInputs')],
        ]),
]

train_dataloader = dict(
    batch_size=4,  # 8 GPUs x 4 = 32
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='LIPPartsDataset',
        data_root=data_root,
        ann_file='train_id.txt',
        data_prefix=dict(
            img_path='train_images', seg_map_path='train_segmentations'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,  # labels keep their own sizes
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='LIPPartsDataset',
        data_root=data_root,
        ann_file='val_id.txt',
        data_prefix=dict(
            img_path='val_images', seg_map_path='val_segmentations'),
        pipeline=test_pipeline,
        test_mode=True))
test_dataloader = val_dataloader
val_evaluator = dict(type='PartSegMetric')
test_evaluator = val_evaluator
