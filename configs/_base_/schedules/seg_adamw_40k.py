# Body part segmentation: AdamW, 40 000 iterations of 8 GPUs x 4 = 32, which
# is 42 epochs of LIP (ours; HumanBench 35 000 of 16)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='AdamW',
        lr=5e-4,  # HumanBench
        betas=(0.9, 0.999),
        weight_decay=0.1),  # HumanBench
    clip_grad=dict(max_norm=1.0),  # ours; HumanBench clips the backbone
    constructor='mmpretrain.BackboneLayerDecayOptimWrapperConstructor',
    paramwise_cfg=dict(layer_decay_rate=1.0))  # the same rate everywhere

# `end` is left out where it is the end of training, so that
# train_cfg.max_iters alone makes it longer or shorter. A run too short for the
# warm-up warms up for a tenth of its length, or not at all; the log says so
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.01,  # HumanBench
        begin=0,
        end=1500,  # HumanBench
        by_epoch=False),
    dict(type='CosineAnnealingLR', eta_min=0., begin=1500, by_epoch=False),
]

train_cfg = dict(type='IterBasedTrainLoop', max_iters=40000, val_interval=4000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

auto_scale_lr = dict(enable=False, base_batch_size=32)  # 8 GPUs x 4
