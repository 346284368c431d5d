# DINO on few pictures, for the comparison of README.md
_base_ = ['../saip/demo_starnet_s3.py', '../_base_/demo/dino.py']

model = dict(_base_.dino)
train_pipeline = [
    _base_.train_pipeline[0],
    dict(_base_.train_pipeline[1], **_base_.dino_crops),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
custom_hooks = _base_.dino_hooks
