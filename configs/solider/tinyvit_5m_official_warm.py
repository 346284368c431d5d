# SOLIDER on TinyViT-5M for ten epochs behind DINO: set load_from
_base_ = [
    '../_base_/backbones/tinyvit_5m.py',
    '../_base_/methods/solider_warm.py',
]

model = dict(encoder=dict(backbone=_base_.backbone))

# statistics over all ranks; tools/train.py leaves it out on CPU
sync_bn = 'torch'
