_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/models/irra.py',
    '../../_base_/datasets/rstpreid.py',
    '../../_base_/schedules/irra_adam_60e.py',
    '../../_base_/runtime/text_reid.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        last_stride=1,  # authors; 24x8 cells
        last_norm=True),  # authors
    neck=dict(in_channels=256),  # authors
    heads=dict(person=dict(num_classes=3701)))  # authors: all persons
