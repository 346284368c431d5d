# MAE in the paper's protocol (4.2): data, batch, rate, decay and length of
# SAIP's recipe; objective and views are MAE's
_base_ = '../saip/vit_tiny.py'

model = dict(
    type='ViewPretraining',
    encoder=dict(
        backbone=dict(
            init='mae',  # Xavier uniform
            positions='fixed')),  # MAE: sines, not trained
    heads=dict(
        _delete_=True,
        mae=dict(
            type='MaskedReconstructionHead',
            mask_ratio=0.75,  # MAE
            decoder=dict(dims=512, depth=8, num_heads=16))))  # MAE

train_pipeline = [
    _base_.train_pipeline[0],
    dict(
        _base_.train_pipeline[1],
        num_scales=0,
        num_locals=0,
        background_size=None,
        area=(0.2, 1.0),  # MAE
        aspect=(0.375, 0.667))  # half of MAE's, as HAP's code has it
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
custom_hooks = []  # no expert
