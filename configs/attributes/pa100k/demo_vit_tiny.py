# The demo with ViT-Tiny, which starts slower from random weights
_base_ = [
    '../../_base_/demo/vit_tiny.py',
    '../../_base_/demo/attributes.py',
]

model = dict(
    backbone=dict(_base_.backbone, img_size=(96, 48)),
    neck=dict(type='GlobalAveragePooling'),  # of the patch tokens
    head=dict(in_channels=192))

optim_wrapper = dict(optimizer=dict(lr=5e-4))
