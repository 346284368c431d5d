# Unbiased targets, crop and decoding, as for pose: finer than the default of
# this task, on the face above all
_base_ = './vit_tiny.py'

codec = dict(
    type='UDPHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2)
model = dict(head=dict(decoder=codec), test_cfg=dict(shift_heatmap=False))

crop = dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True)
train_pipeline = [
    *_base_.train_pipeline[:-3],
    crop,
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
test_pipeline = [
    *_base_.test_pipeline[:-2],
    crop,
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
