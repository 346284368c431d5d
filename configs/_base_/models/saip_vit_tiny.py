# SAIP on ViT-Tiny/16: class token 192 wide, 16x8 patches
_base_ = ['../backbones/vit_tiny.py', '../methods/saip.py']

model = dict(
    encoder=dict(backbone=dict(_base_.backbone, drop_path_rate=0.)))  # release
