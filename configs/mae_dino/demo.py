# MAE+DINO in minutes on a CPU: ViT-Tiny at 96x48 on rendered people, made for
# the clock. Data as for ../saip/demo.py.
_base_ = '../evidence/dino_vit_tiny.py'

model = dict(
    heads=dict(
        dino=dict(loss_weight=0.5),  # as in ../_base_/methods/mae_dino.py
        mae=dict(
            type='MaskedReconstructionHead',
            mask_ratio=0.75,  # MAE; of 18 patches
            decoder=dict(dims=128, depth=2, num_heads=4),
            loss_weight=0.5)))
train_pipeline = [
    _base_.train_pipeline[0],
    dict(
        _base_.train_pipeline[1],
        clean_area=(0.2, 1.0),  # MAE
        clean_aspect=(0.375, 0.667))
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
