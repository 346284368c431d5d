_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/models/attributes.py',
    '../../_base_/datasets/pa100k_256x128.py',
    '../../_base_/schedules/attr_adamw_30e.py',
    '../../_base_/runtime/attributes.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        out_type='cls_token',  # authors
        drop_path_rate=0.),  # authors
    head=dict(in_channels=192))  # authors; the class token
