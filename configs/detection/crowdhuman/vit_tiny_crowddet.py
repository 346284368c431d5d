_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/models/crowddet.py',
    '../../_base_/datasets/crowdhuman_batch_resize.py',
    '../../_base_/schedules/det_adamw_30e.py',
    '../../_base_/runtime/detection.py',
]

model = dict(
    backbone=_base_.backbone,
    neck=dict(type='mmpretrain.SimpleFPN', in_channels=192))

optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=0.7))  # ViTDet
