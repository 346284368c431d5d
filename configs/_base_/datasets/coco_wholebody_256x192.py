# COCO-WholeBody: COCO's persons with 133 landmarks of body, feet, face and
# hands. Boxes to validate and rendered people: as coco_keypoints_256x192.py.
data_root = 'data/coco'
val_boxes = ('person_detection_results/'
             'COCO_val2017_detections_AP_H_56_person.json')

# width, height; rounded targets as in mmpose's whole-body models, with a
# plain crop and mirrored maps shifted by one (vit_tiny_udp.py: unbiased)
codec = dict(
    type='MSRAHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2)

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),  # box x 1.25
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='RandomHalfBody'),
    dict(type='RandomBBoxTransform'),
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=False),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=False),
    dict(type='PackPoseInputs'),
]

train_dataloader = dict(
    batch_size=64,  # 8 GPUs x 64 = 512
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='WholeBodyDataset',
        data_root=data_root,
        ann_file='annotations/coco_wholebody_train_v1.0.json',
        data_prefix=dict(img='train2017/'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='WholeBodyDataset',
        data_root=data_root,
        ann_file='annotations/coco_wholebody_val_v1.0.json',
        bbox_file=val_boxes,
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='WholeBodyMetric')  # ann_file of the data set
test_evaluator = val_evaluator
