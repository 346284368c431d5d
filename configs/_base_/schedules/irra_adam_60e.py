# Search by text: Adam, 60 epochs of 8 GPUs x 16 = 128; losses are those of the
# whole batch. Rules in their order, the last that fits counts.
optim_wrapper = dict(
    type='OptimWrapper',  # authors: float32, no clip
    optimizer=dict(
        type='Adam',
        lr=1e-4,  # authors; for everything, the text tower too
        betas=(0.9, 0.999),  # reference
        eps=1e-3,  # authors
        weight_decay=4e-5),  # authors; in the gradient
    constructor='OrderedRulesConstructor',
    paramwise_cfg=dict(rules=[
        dict(name='cross', lr_mult=5),  # authors
        dict(name='bias', lr_mult=2, decay_mult=0),  # authors
        dict(name='classifier', lr_mult=5),  # authors
        dict(name='mlm_head', lr_mult=5),  # authors
    ]))

# by epoch; the warm-up's last epoch is at the rate, where the cosine begins
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,  # authors
        begin=0,
        end=6),  # authors: 5 epochs below the rate
    dict(type='CosineAnnealingLR', eta_min=0., begin=5),  # authors
]

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=60, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

auto_scale_lr = dict(enable=False, base_batch_size=128)  # 8 GPUs x 16
