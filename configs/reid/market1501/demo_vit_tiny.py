# The demo with ViT-Tiny, which starts slower from random weights
_base_ = [
    '../../_base_/demo/vit_tiny.py',
    '../../_base_/demo/reid.py',
]

model = dict(backbone=dict(_base_.backbone, img_size=(96, 48)))
