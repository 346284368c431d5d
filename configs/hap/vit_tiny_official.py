# HAP with its own schedule
_base_ = ['./vit_tiny.py']

train_dataloader = dict(batch_size=512)  # HAP: 4096 in all
optim_wrapper = dict(
    clip_grad=None,  # HAP
    optimizer=dict(
        lr=2.4e-3,  # HAP: 1.5e-4 per 256 images
        betas=(0.9, 0.95),  # HAP
        weight_decay=0.05))  # HAP, constant
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-6,  # HAP: from 0
        begin=0,
        end=40,  # HAP
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=0.,  # HAP
        begin=40,
        by_epoch=True,
        convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=400)  # HAP
auto_scale_lr = dict(base_batch_size=4096)
