_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/models/ke_rcnn.py',
    '../../_base_/datasets/fashionpedia.py',
    '../../_base_/schedules/det_adamw_32e.py',
    '../../_base_/runtime/part_attributes.py',
]

model = dict(
    backbone=_base_.backbone,
    neck=dict(
        type='FPN',
        in_channels=[32, 64, 128, 256],
        out_channels=256,
        num_outs=5))
