# Matching by prototypes alone, the recipe's loss, at the demo's size: when it
# learns from hundreds of iterations instead of hundreds of thousands. Data as
# for demo.py; scores in docs/results.md. The conditions, of which the rate and
# the expert's momentum count most:
_base_ = './demo_starnet_s3.py'

model = dict(
    heads=dict(
        _delete_=True,
        csm=dict(
            type='CrossScaleMatchingHead',
            decoder=dict(
                type='ImageDecoder',
                hidden_dims=512,
                bottleneck_dims=128,
                # some dozens for each picture of a batch
                num_prototypes=512))))
train_pipeline = [
    _base_.train_pipeline[0],
    dict(_base_.train_pipeline[1], background_size=None),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
# half of demo_starnet_s3.py's: at 2e-3 the decoder moves faster than the
# encoder learns, and in 20 steps sends all pictures to a few prototypes
optim_wrapper = dict(optimizer=dict(lr=1e-3))
custom_hooks = [
    # an expert that follows the student at once (0.9) confirms whatever the
    # student prefers by chance, and few prototypes remain
    dict(type='ExpertUpdateHook', base_momentum=0.99),
    dict(type='FreezePrototypesHook', epochs=1),  # T_e stays at 0.04
]
