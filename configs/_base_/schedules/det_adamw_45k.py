# Detection: AdamW, 45 000 iterations of 8 GPUs x 2 = 16 pictures, 25.5 epochs
# of CIHP. Length, steps and warm-up are Parsing R-CNN's ("1x"); its optimiser
# is SGD, which does not train a plain transformer. Its "3x" has
#   train_cfg.max_iters=135000, milestones 105000 and 125000
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0.05),  # ours
    clip_grad=dict(max_norm=1.0),
    constructor='mmpretrain.BackboneLayerDecayOptimWrapperConstructor',
    paramwise_cfg=dict(layer_decay_rate=1.0))  # the same rate everywhere

param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=500),
    dict(
        type='MultiStepLR',
        by_epoch=False,
        milestones=[30000, 40000],
        gamma=0.1),
]

train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=45000, val_interval=5000)  # ours
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

auto_scale_lr = dict(enable=False, base_batch_size=16)  # 8 GPUs x 2
