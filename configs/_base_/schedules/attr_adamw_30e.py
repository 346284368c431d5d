# Attributes: AdamW, 30 epochs of 64 pictures; a tenth of the rate once the
# loss of validation has not fallen for more than four epochs
optim_wrapper = dict(
    type='OptimWrapper',  # authors; float32
    optimizer=dict(
        type='AdamW',
        lr=1e-4,  # authors
        betas=(0.9, 0.999),
        weight_decay=0.),  # authors
    clip_grad=dict(max_norm=10.))  # authors

param_scheduler = [
    dict(
        type='ReduceOnPlateauLR',
        monitor='attribute/loss',  # authors
        rule='less',
        factor=0.1,  # authors
        patience=4),  # authors; validations, fewer by --schedule
]

train_cfg = dict(
    type='EpochBasedTrainLoop',
    max_epochs=30,  # authors
    val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

auto_scale_lr = dict(enable=False, base_batch_size=64)  # 1 GPU x 64
