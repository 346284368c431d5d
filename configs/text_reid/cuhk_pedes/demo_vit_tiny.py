# The demo with ViT-Tiny
_base_ = [
    '../../_base_/demo/vit_tiny.py',
    '../../_base_/demo/text_reid.py',
]

model = dict(
    backbone=dict(_base_.backbone, img_size=(96, 32), out_type='raw'),
    neck=dict(in_channels=192))
