# MAE with its own schedule
_base_ = ['./vit_tiny.py']

train_dataloader = dict(batch_size=512)  # MAE: 4096 in all
optim_wrapper = dict(
    clip_grad=None,  # MAE
    optimizer=dict(
        lr=2.4e-3,  # MAE's README: 1.5e-4 per 256 images
        betas=(0.9, 0.95),  # MAE
        weight_decay=0.05))  # MAE, constant
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-6,  # MAE: from 0
        begin=0,
        end=40,  # MAE
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=0.,  # MAE
        begin=40,
        by_epoch=True,
        convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=800)  # MAE's README
auto_scale_lr = dict(base_batch_size=4096)
