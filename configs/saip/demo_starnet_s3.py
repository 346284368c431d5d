# The demo with StarNet-S3, the main job of `make demo`: in the same minutes it
# learns more than ViT-Tiny does, whose positions must be learnt first. Data as
# for demo.py.
_base_ = ['../_base_/backbones/starnet_s3.py', '../_base_/demo/saip.py']

model = dict(
    # close scales first: they agree after fewer steps than the recipe's
    data_preprocessor=dict(scale_range=(0.6, 1.0)),
    encoder=dict(backbone=_base_.backbone))
# many small steps: 250 of 24 crops
train_dataloader = dict(batch_size=24)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
train_cfg = dict(max_epochs=10)
# an average over 250 steps at 0.99 would still be near the random start
custom_hooks = [dict(type='ExpertUpdateHook', base_momentum=0.9)]
default_hooks = dict(checkpoint=dict(interval=5), knn=dict(interval=5))
