_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/models/parsing_rcnn.py',
    '../../_base_/datasets/cihp.py',
    '../../_base_/schedules/det_adamw_45k.py',
    '../../_base_/runtime/parsing.py',
]

model = dict(
    backbone=_base_.backbone,
    neck=dict(
        type='FPN',
        in_channels=[32, 64, 128, 256],
        out_channels=256,
        num_outs=5))
