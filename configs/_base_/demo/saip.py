# SAIP in a few minutes on a CPU, at 96x48 on rendered people. Every number is
# ours, made for the clock and not for quality. The leaf adds the backbone.
_base_ = [
    '../methods/saip.py',
    '../datasets/synthetic_people.py',
    '../schedules/adamw_coslr_300e.py',
    '../default_runtime.py',
]

model = dict(
    # at three eighths of the recipe's size a blur of sigma 2 leaves little
    data_preprocessor=dict(
        canvas=dict(size=(96, 96)), sigma=(0.1, 0.6), solarize=dict(scale=0.)),
    heads=dict(
        # learns from the first step on; prototypes ask for more, see
        # ../../saip/demo_prototypes.py
        csm=dict(
            _delete_=True,
            type='InstanceMatchingHead',
            decoder=dict(
                type='InstanceDecoder', hidden_dims=512, bottleneck_dims=128)),
        csr=dict(decoder=dict(dims=128, num_heads=4)),
        css=dict(decoder=dict(dims=128, num_heads=4))))
train_pipeline = [
    dict(type='DecodeImage', min_size=(192, 96)),
    dict(
        type='PersonCrops',
        size=(96, 48),
        num_scales=1,
        num_locals=0,
        background_size=(96, 96)),
]
train_dataloader = dict(
    batch_size=48,
    num_workers=2,
    pin_memory=False,
    dataset=dict(pipeline=train_pipeline))

optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-3,
        begin=0,
        end=1,
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-6,
        begin=1,
        by_epoch=True,
        convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=12)
custom_hooks = [dict(type='ExpertUpdateHook', base_momentum=0.99)]
knn_pipeline = [
    dict(type='DecodeImage'),
    dict(type='ResizePerson', size=(96, 48)),
    dict(type='PackPerson'),
]
market = dict(
    type='MarketDataset',
    data_root='data/synthetic_small/market1501',  # 534 queries
    pipeline=knn_pipeline)
default_hooks = dict(
    logger=dict(interval=10),
    checkpoint=dict(interval=1),
    collapse=dict(begin=40, interval=10),
    knn=dict(
        type='RetrievalMonitorHook',
        query=dict(split='query', **market),
        gallery=dict(split='gallery', **market),
        interval=2))
