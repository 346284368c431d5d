_base_ = [
    '../../_base_/backbones/tinyvit_5m.py',
    '../../_base_/models/attributes.py',
    '../../_base_/datasets/peta_zs_256x128.py',
    '../../_base_/schedules/attr_adamw_30e.py',
    '../../_base_/runtime/attributes.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        out_indices=(3, ),  # authors; the last map
        last_stride=1,  # authors
        neck_channels=256),  # authors; trained in pretraining, if it was there
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        num_classes=35,  # authors
        in_channels=256))  # authors
