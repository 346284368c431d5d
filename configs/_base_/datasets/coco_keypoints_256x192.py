# COCO persons with 17 joints: 149 813 to train; to validate, those a detector
# of 56.4 AP found (configs *_gt_boxes.py: the annotated ones).
# Rendered people instead, all three of
#   --cfg-options train_dataloader.dataset.data_root=data/synthetic/coco
# and val_dataloader..., test_dataloader...
data_root = 'data/coco'
val_boxes = ('person_detection_results/'
             'COCO_val2017_detections_AP_H_56_person.json')

# width, height; targets and decoding without quantisation, so the crop must
# be unbiased too (use_udp) and mirrored maps are not shifted
codec = dict(
    type='UDPHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2)

train_pipeline = [
    dict(type='LoadPersonImage'),
    dict(type='GetBBoxCenterScale'),  # box x 1.25
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='RandomHalfBody'),
    dict(type='RandomBBoxTransform'),  # mmpose: 80 degrees; ViTPose: 40
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
test_pipeline = [
    dict(type='LoadPersonImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True),
    dict(type='PackPoseInputs'),
]

train_dataloader = dict(
    batch_size=64,  # 8 GPUs x 64 = 512
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='PersonKeypointsDataset',
        data_root=data_root,
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='PersonKeypointsDataset',
        data_root=data_root,
        ann_file='annotations/person_keypoints_val2017.json',
        bbox_file=val_boxes,
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='KeypointMetric')  # ann_file of the data set
test_evaluator = val_evaluator
