# DINO on few pictures, for docs/evidence.md: the demo of SAIP with DINO's loss
# and views. Numbers are ours, made for the clock.
_base_ = '../saip/demo_starnet_s3.py'

model = dict(
    type='ViewPretraining',
    data_preprocessor=dict(scale_range=(1., 1.)),  # all globals of one size
    heads=dict(
        _delete_=True,
        dino=dict(
            type='DINOHead',
            decoder=dict(
                type='ImageDecoder',
                hidden_dims=512,
                bottleneck_dims=128,
                num_prototypes=512))))
train_pipeline = [
    _base_.train_pipeline[0],
    dict(
        _base_.train_pipeline[1],
        num_locals=2,
        local_size=(32, 16),
        background_size=None),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
custom_hooks = [
    dict(type='ExpertUpdateHook', base_momentum=0.99),
    dict(type='FreezePrototypesHook', epochs=1),
]
