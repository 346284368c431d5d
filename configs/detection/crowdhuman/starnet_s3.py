_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/models/faster_rcnn.py',
    '../../_base_/datasets/crowdhuman.py',
    '../../_base_/schedules/det_adamw_30e.py',
    '../../_base_/runtime/detection.py',
]

model = dict(
    backbone=_base_.backbone,
    neck=dict(
        type='FPN',
        in_channels=[32, 64, 128, 256],
        out_channels=256,
        num_outs=5))
