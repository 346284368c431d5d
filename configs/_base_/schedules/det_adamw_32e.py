# Part attributes: AdamW, 32 epochs of 8 GPUs x 2 = 16, as KE-RCNN's "1x"; in
# mixed precision, float32 without a GPU (tools/train.py says so).
optim_wrapper = dict(
    type='AmpOptimWrapper',  # ours; reference for Swin and HRNet
    optimizer=dict(
        type='AdamW',
        lr=1e-4,  # reference
        betas=(0.9, 0.999),  # reference
        weight_decay=0.05),  # ours; reference 1e-4, 0.05 for Swin
    clip_grad=dict(max_norm=1.0),  # ours; reference none
    constructor='mmpretrain.BackboneLayerDecayOptimWrapperConstructor',
    paramwise_cfg=dict(layer_decay_rate=1.0))  # the same rate everywhere

param_scheduler = [  # reference
    dict(
        type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=True, milestones=[26, 30], gamma=0.1),
]

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=32, val_interval=4)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

auto_scale_lr = dict(enable=False, base_batch_size=16)  # 8 GPUs x 2
