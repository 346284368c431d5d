# SAIP on StarNet-S3: image token 256, patch tokens 128 wide
_base_ = ['../backbones/starnet_s3.py', '../methods/saip.py']

model = dict(encoder=dict(backbone=_base_.backbone))
