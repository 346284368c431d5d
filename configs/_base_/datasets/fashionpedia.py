# Fashionpedia: about 45.6 k pictures to train, 1.16 k to validate; both splits
# that are not for training lie in test/. Count yours:
#   python tools/dataset_converters/check_data.py fashionpedia
# and make the knowledge that models/ke_rcnn.py reads:
#   python tools/dataset_converters/fashionpedia_knowledge.py \
#       data/fashionpedia/instances_attributes_train2020.json
# Rendered people instead: data_root of all three data sets, and
# model.roi_head.attribute_head.knowledge, by --cfg-options.
data_root = 'data/fashionpedia'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='CheckImageSize'),  # and the way up
    dict(type='LoadFashionAnnotations'),  # with the human, as the last
    # long side of 512 to 2048
    dict(
        type='RandomResize',
        scale=(1024, 1024),
        ratio_range=(0.5, 2.0),  # reference; 0.5 to 1.8 for Swin
        keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),  # no label has a side
    dict(type='FilterFashionAnnotations'),
    dict(type='PackFashionInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='CheckImageSize'),
    dict(type='Resize', scale=(1024, 1024), keep_ratio=True),
    # after: not resized
    dict(type='LoadFashionAnnotations', with_human=False),
    dict(
        type='PackFashionInputs',
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
        type='FashionpediaDataset',
        data_root=data_root,
        ann_file='instances_attributes_train2020.json',
        data_prefix=dict(img='train/'),
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='FashionpediaDataset',
        data_root=data_root,
        ann_file='instances_attributes_val2020.json',
        data_prefix=dict(img='test/'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='FashionpediaMetric')
test_evaluator = dict(type='FashionpediaMetric', classwise=True)
