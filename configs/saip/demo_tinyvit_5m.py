# The demo with TinyViT-5M; slower than with ViT-Tiny
_base_ = ['../_base_/backbones/tinyvit_5m.py', '../_base_/demo/saip.py']

model = dict(
    encoder=dict(
        # at 96x48 nine tenths of the windows of the last stages are padding
        backbone=dict(_base_.backbone, mask_padding=True)))
