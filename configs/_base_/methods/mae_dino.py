# MAE+DINO in the paper's protocol (4.2): one encoder, DINO's head on global
# and local crops, MAE's on a clean crop of its own. How the paper's row joins
# the two is not stated; the work it cites joins others (MoCo v3 and SimMIM).
# The leaf adds the backbone.
_base_ = './dino.py'

model = dict(
    heads=dict(
        dino=dict(loss_weight=0.5),  # ours: lambda 0.5, of DINO
        mae=dict(
            type='MaskedReconstructionHead',
            mask_ratio=0.75,  # MAE
            decoder=dict(dims=512, depth=8, num_heads=16),  # MAE
            loss_weight=0.5)))  # ours: 1 - lambda

train_pipeline = [
    _base_.train_pipeline[0],
    dict(
        _base_.train_pipeline[1],
        clean_area=(0.2, 1.0),  # MAE
        clean_aspect=(0.375, 0.667))  # half of MAE's, as HAP's code has it
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
