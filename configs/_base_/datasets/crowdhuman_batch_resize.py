# For CrowdDet, whose preprocessor resizes the pictures of a batch together.
_base_ = './crowdhuman.py'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='CheckImageSize'),  # and the way up
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
train_dataloader = dict(
    batch_sampler=None,  # mmdet: ordering by shape may cost precision
    dataset=dict(pipeline=train_pipeline))
