# SAIP's recipe (paper 4.2): AdamW, 300 epochs, cosine. "DINO" marks what the
# paper leaves to DINO's settings.
#
# 2.5e-4 per 256 images x 8 = 2e-3 at 8 GPUs x 256 = 2048; other batches by
# --auto-scale-lr. In float32; the recipe's mixed precision is in
# adamw_coslr_300e_amp.py.
optim_wrapper = dict(
    type='TensorClipOptimWrapper',
    optimizer=dict(
        type='AdamW',
        lr=2e-3,  # paper 4.2, read as per 256 images (as in the release)
        betas=(0.9, 0.999),  # DINO; release (0.9, 0.95)
        weight_decay=0.04),  # DINO, start of the schedule; release 0.05
    clip_grad=dict(max_norm=3.0),  # DINO, each tensor by its own norm
    # no weight decay on biases, norms, tokens and positions (DINO decays the
    # last two); its layer decay is for the tasks
    constructor='BackboneLayerDecayOptimWrapperConstructor')

# `end` is left out where it is the end of training, so that
# --cfg-options train_cfg.max_epochs=100 is enough for a shorter one
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-6,  # DINO: from 0
        begin=0,
        end=10,  # paper 4.2
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-6,  # DINO; release 0
        begin=10,
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingParamScheduler',
        param_name='weight_decay',
        eta_min_ratio=10,  # DINO: 0.04 -> 0.4; groups without decay stay at 0
        by_epoch=True,
        convert_to_iter_based=True),
]

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=300)  # paper 4.2

auto_scale_lr = dict(enable=False, base_batch_size=2048)  # 8 GPUs x 256

# what else changes as training goes on, as DINO has it
custom_hooks = [
    dict(type='ExpertUpdateHook', base_momentum=0.996),  # -> 1 by cosine
    dict(type='ExpertTemperatureHook', start=0.04, end=0.07, epochs=30),
    dict(type='FreezePrototypesHook', epochs=1),
]
