# COCO-WholeBody: COCO's persons with 133 landmarks of body, feet, face and
# hands. Boxes to validate and rendered people: as in the file below.
_base_ = './coco_keypoints_256x192.py'

# width, height; rounded targets as in mmpose's whole-body models, with a
# plain crop and mirrored maps shifted by one (vit_tiny_udp.py: unbiased)
codec = dict(
    type='MSRAHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2)

train_pipeline = [
    dict(type='LoadPersonImage'),
    dict(type='GetBBoxCenterScale'),  # box x 1.25
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='RandomHalfBody'),
    dict(type='RandomBBoxTransform'),
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=False),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
test_pipeline = [
    dict(type='LoadPersonImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=False),
    dict(type='PackPoseInputs'),
]

train_dataloader = dict(
    dataset=dict(
        type='WholeBodyDataset',
        ann_file='annotations/coco_wholebody_train_v1.0.json',
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type='WholeBodyDataset',
        ann_file='annotations/coco_wholebody_val_v1.0.json',
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='WholeBodyMetric')  # ann_file of the data set
test_evaluator = val_evaluator
