# MAE in minutes on a CPU: ViT-Tiny at 96x48 on rendered people, made for the
# clock. Data as for ../saip/demo.py; what was measured: docs/results.md.
_base_ = ['../_base_/demo/vit_tiny.py', '../_base_/demo/saip.py']

model = dict(
    type='ViewPretraining',
    encoder=dict(
        backbone=dict(
            _base_.backbone, img_size=(96,
                                       48), init='mae', positions='fixed')),
    heads=dict(
        _delete_=True,
        mae=dict(
            type='MaskedReconstructionHead',
            mask_ratio=0.75,  # MAE; of 18 patches
            decoder=dict(dims=128, depth=2, num_heads=4))))
train_pipeline = [
    _base_.train_pipeline[0],
    dict(
        _base_.train_pipeline[1],
        num_scales=0,
        background_size=None,
        area=(0.2, 1.0),  # MAE
        aspect=(0.375, 0.667))
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(lr=1e-3, betas=(0.9, 0.95)))
# of 12 iterations: in 25 epochs the loss falls, and search does not rise yet
train_cfg = dict(max_epochs=125)
custom_hooks = []  # no expert
default_hooks = dict(checkpoint=dict(interval=25), knn=dict(interval=25))
