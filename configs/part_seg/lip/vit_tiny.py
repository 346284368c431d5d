_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/models/upernet.py',
    '../../_base_/datasets/lip_480x480.py',
    '../../_base_/schedules/seg_adamw_40k.py',
    '../../_base_/runtime/part_seg.py',
]

model = dict(
    backbone=dict(_base_.backbone, out_indices=[2, 5, 8, 11]),  # of 12 blocks
    neck=dict(
        type='Feature2Pyramid',
        embed_dim=192,
        rescales=[4, 2, 1, 0.5],
        norm_cfg=dict(type='BN')),
    decode_head=dict(in_channels=[192, 192, 192, 192]),
    auxiliary_head=dict(in_channels=192))

optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=0.75))  # HumanBench
