# Search for persons: SGD, 120 epochs, a cosine by epoch with a warm-up cut out
# of it. A shorter training, rate included: tools/train.py --schedule, or
# train_cfg.max_epochs alone. The authors have AdamW at 2e-4 in a script for
# another ViT-Tiny.
optim_wrapper = dict(
    type='AmpOptimWrapper',  # authors: float16, no clip; without GPU float32
    loss_scale='dynamic',  # authors
    optimizer=dict(
        type='SGD',  # authors
        lr=8e-4,  # authors; from ImageNet's weights TransReID has 8e-3
        momentum=0.9,  # authors
        weight_decay=1e-4),  # authors
    constructor='mmpretrain.BackboneLayerDecayOptimWrapperConstructor',
    paramwise_cfg=dict(
        no_decay=None,  # authors: decay of biases and norms as well
        # authors: of all whose name has it, norms' and attention's too
        custom_keys={'bias': dict(lr_mult=2.0)}))

param_scheduler = [
    dict(
        type='WarmCosineLR',
        warm_up=20,  # authors
        start=0.01,  # authors
        floor=0.002),  # authors
]

train_cfg = dict(
    type='EpochBasedTrainLoop',
    max_epochs=120,  # authors
    val_interval=10)  # authors
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
