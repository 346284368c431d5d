_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/models/ke_rcnn.py',
    '../../_base_/datasets/fashionpedia.py',
    '../../_base_/schedules/det_adamw_32e.py',
    '../../_base_/runtime/part_attributes.py',
]

model = dict(
    backbone=_base_.backbone,
    neck=dict(type='mmpretrain.SimpleFPN', in_channels=192))

train_pipeline = _base_.train_pipeline
# ours: at most 1536 pixels, as all blocks attend to all tokens
train_pipeline[3] = dict(train_pipeline[3], ratio_range=(0.5, 1.5))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=0.7))  # ViTDet
