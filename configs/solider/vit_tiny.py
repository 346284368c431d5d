# SOLIDER on ViT-Tiny in the paper's protocol
_base_ = [
    '../_base_/backbones/vit_tiny.py',
    '../_base_/methods/solider.py',
]

model = dict(
    encoder=dict(backbone=dict(_base_.backbone, drop_path_rate=0.1)))  # DINO
