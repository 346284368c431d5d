# SOLIDER on ViT-Tiny for ten epochs behind DINO: set load_from
_base_ = [
    '../_base_/backbones/vit_tiny.py',
    '../_base_/methods/solider_warm.py',
]

model = dict(
    encoder=dict(backbone=dict(_base_.backbone, drop_path_rate=0.1)))  # DINO
