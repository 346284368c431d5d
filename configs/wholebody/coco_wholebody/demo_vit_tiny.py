# The demo with ViT-Tiny, which starts slower from random weights
_base_ = [
    '../../_base_/demo/vit_tiny.py',
    '../../_base_/demo/wholebody.py',
]

model = dict(
    backbone=dict(_base_.backbone, img_size=(128, 96)),
    head=dict(in_channels=192))

optim_wrapper = dict(optimizer=dict(lr=5e-4))  # no BatchNorm: a smaller step
