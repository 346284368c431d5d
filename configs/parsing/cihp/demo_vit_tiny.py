# The demo with ViT-Tiny, which starts slower from random weights
_base_ = [
    '../../_base_/demo/vit_tiny.py',
    '../../_base_/demo/parsing.py',
]

model = dict(
    backbone=dict(_base_.backbone, img_size=(160, 288)),
    neck=dict(type='mmpretrain.SimpleFPN', in_channels=192, out_channels=64))
