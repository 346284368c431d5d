_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/models/attributes.py',
    '../../_base_/datasets/peta_zs_256x128.py',
    '../../_base_/schedules/attr_adamw_30e.py',
    '../../_base_/runtime/attributes.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        out_type='cls_token',  # authors
        drop_path_rate=0.),  # authors
    head=dict(
        num_classes=35,  # authors
        in_channels=192))  # authors

train_cfg = dict(max_epochs=22)  # authors
