# Pose and whole-body: ViTPose's recipe as mmpose has it (td-hm_ViTPose-small);
# SAIP does not state its own. Shorter trainings: train.py --schedule 0.25, or
# train_cfg.max_epochs, with which milestones behind the end move along.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='AdamW', lr=5e-4, betas=(0.9, 0.999), weight_decay=0.1),
    clip_grad=dict(max_norm=1.0),
    constructor='mmpretrain.BackboneLayerDecayOptimWrapperConstructor',
    paramwise_cfg=dict(layer_decay_rate=1.0))  # the same rate everywhere

param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.001, begin=0, end=500, by_epoch=False),
    dict(
        type='MultiStepLR',
        begin=0,
        end=210,
        milestones=[170, 200],
        gamma=0.1,
        by_epoch=True),
]

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=210, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

auto_scale_lr = dict(enable=False, base_batch_size=512)  # 8 GPUs x 64
