# The demo with ViT-Tiny, which starts slower from random weights
_base_ = [
    '../../_base_/demo/vit_tiny.py',
    '../../_base_/demo/part_seg.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        img_size=(96, 96),
        out_indices=[2, 5, 8, 11],  # of 12 blocks
    ),
    neck=dict(
        type='Feature2Pyramid',
        embed_dim=192,
        rescales=[4, 2, 1, 0.5],
        norm_cfg=dict(type='BN')),
    decode_head=dict(in_channels=[192, 192, 192, 192]),
    auxiliary_head=dict(in_channels=192))
