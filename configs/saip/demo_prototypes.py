# Matching by prototypes alone, the recipe's loss, in minutes on a CPU. Data as
# for demo.py, scores in docs/results.md. Hundreds of thousands of small steps
# forgive what hundreds of large ones do not; "conditions" marks what it needs
# to learn here.
_base_ = './demo_starnet_s3.py'

# conditions: fresh tokens that differ between persons. At 96x48 those of
# StarNet-S3 have a mean cosine of 0.28, at 64x32, where fewer cells are
# averaged, of 0.09. With scales 1 and 1.5 it did not learn.
size = (64, 32)
prototypes = dict(
    decoder=dict(
        type='ImageDecoder',
        hidden_dims=512,
        bottleneck_dims=128,
        num_prototypes=512))  # twenty a picture
model = dict(
    data_preprocessor=dict(scale_range=(1.0, 1.0)),
    heads=dict(
        _delete_=True, csm=dict(prototypes, type='CrossScaleMatchingHead')))
train_pipeline = [
    dict(_base_.train_pipeline[0], min_size=(128, 64)),
    dict(_base_.train_pipeline[1], size=size, background_size=None),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
# conditions: an expert that follows at once (0.9) confirms whatever the
# student happens to prefer; at 2e-3 three or four prototypes are left after 25
# steps, at a quarter of that seven. Half the rate for an expert that lags
optim_wrapper = dict(optimizer=dict(lr=1e-3))
custom_hooks = [
    dict(type='ExpertUpdateHook', base_momentum=0.99),
    dict(type='FreezePrototypesHook', epochs=1),  # DINO; T_e stays at 0.04
]
knn_pipeline = [
    _base_.knn_pipeline[0],
    dict(_base_.knn_pipeline[1], size=size),
    _base_.knn_pipeline[2],
]
default_hooks = dict(
    knn=dict(
        query=dict(pipeline=knn_pipeline), gallery=dict(
            pipeline=knn_pipeline)))
