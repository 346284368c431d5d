# ViT-Tiny/16, 5.51 M parameters: one map of 192 channels at stride 16.
# Any OpenMMLab library, any default scope:
#   _base_ = ['../../_base_/backbones/vit_tiny.py', ...]
#   model = dict(..., backbone=dict(_base_.backbone, out_indices=[...]))
# Pretrained, by a training checkpoint or a published backbone:
#   --cfg-options model.backbone.init_cfg.checkpoint=FILE
backbone = dict(
    type='mmpretrain.GridVisionTransformer',
    arch='deit-tiny',
    img_size=(256, 128),  # of the positions; resized to each input's grid
    patch_size=16,
    out_type='featmap',
    drop_path_rate=0.1,  # ours, for fine-tuning; pretraining has none
    init_cfg=dict(type='Pretrained', checkpoint=None))  # None: random
