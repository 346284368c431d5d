_base_ = [
    '../../_base_/backbones/tinyvit_5m.py',
    '../../_base_/models/irra.py',
    '../../_base_/datasets/cuhk_pedes.py',
    '../../_base_/schedules/irra_adam_60e.py',
    '../../_base_/runtime/text_reid.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        last_stride=1,  # authors; 24x8 cells
        neck_channels=256),  # authors
    neck=dict(in_channels=256),  # authors
    heads=dict(person=dict(num_classes=11003)))  # authors: all persons
