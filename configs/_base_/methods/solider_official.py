# SOLIDER with its own schedule, from random weights
_base_ = './solider.py'

train_dataloader = dict(batch_size=48)  # SOLIDER: 8 GPUs x 48
optim_wrapper = dict(optimizer=dict(lr=7.5e-4))  # SOLIDER: 5e-4 per 256
train_cfg = dict(max_epochs=100)  # SOLIDER
auto_scale_lr = dict(base_batch_size=384)
custom_hooks = [
    dict(type='ExpertUpdateHook', base_momentum=0.996),  # DINO
    dict(type='FreezePrototypesHook', epochs=1),  # DINO; T_e stays at 0.04
]
