# MAE+DINO on ViT-Tiny with DINO's own schedule: no code of the two together
# is published
_base_ = './vit_tiny.py'

train_dataloader = dict(batch_size=64)  # DINO: 8 GPUs x 64
optim_wrapper = dict(optimizer=dict(lr=1e-3))  # DINO: 5e-4 per 256 images
train_cfg = dict(max_epochs=100)  # DINO
auto_scale_lr = dict(base_batch_size=512)
custom_hooks = [
    dict(type='ExpertUpdateHook', base_momentum=0.996),  # DINO
    dict(type='FreezePrototypesHook', epochs=1),  # DINO; T_e stays at 0.04
]
