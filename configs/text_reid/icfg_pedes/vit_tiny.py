_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/models/irra.py',
    '../../_base_/datasets/icfg_pedes.py',
    '../../_base_/schedules/irra_adam_60e.py',
    '../../_base_/runtime/text_reid.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        img_size=(384, 128),  # authors; 24x8 patches
        out_type='raw',  # class token and patches
        drop_path_rate=0.),  # authors
    neck=dict(in_channels=192),  # authors
    heads=dict(person=dict(num_classes=3102)))  # authors: all persons
