# SOLIDER on ViT-Tiny with SOLIDER's own schedule
_base_ = [
    '../_base_/backbones/vit_tiny.py',
    '../_base_/methods/solider_official.py',
]

model = dict(
    encoder=dict(backbone=dict(_base_.backbone, drop_path_rate=0.1)))  # DINO
