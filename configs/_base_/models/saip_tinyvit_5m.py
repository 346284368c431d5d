# SAIP on TinyViT-5M: patch tokens 160 wide
_base_ = ['../backbones/tinyvit_5m.py', '../methods/saip.py']

model = dict(encoder=dict(backbone=_base_.backbone))
