_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/models/attributes.py',
    '../../_base_/datasets/pa100k_256x128.py',
    '../../_base_/schedules/attr_adamw_30e.py',
    '../../_base_/runtime/attributes.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        out_indices=(3, ),  # authors; the last map
        last_stride=1,  # authors
        last_norm=True),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(in_channels=256))  # authors
