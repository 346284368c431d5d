_base_ = [
    '../../_base_/backbones/tinyvit_5m.py',
    '../../_base_/models/parsing_rcnn.py',
    '../../_base_/datasets/cihp.py',
    '../../_base_/schedules/det_adamw_45k.py',
    '../../_base_/runtime/parsing.py',
]

model = dict(
    backbone=_base_.backbone,
    neck=dict(
        type='FPN',
        in_channels=[64, 128, 160, 320],
        out_channels=256,
        num_outs=5))
