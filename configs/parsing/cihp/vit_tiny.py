_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/models/parsing_rcnn.py',
    '../../_base_/datasets/cihp.py',
    '../../_base_/schedules/det_adamw_45k.py',
    '../../_base_/runtime/parsing.py',
]

model = dict(
    backbone=_base_.backbone,
    neck=dict(type='mmpretrain.SimpleFPN', in_channels=192))

optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=0.7))  # ViTDet
