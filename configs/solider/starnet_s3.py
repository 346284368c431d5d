# SOLIDER on StarNet-S3 in the paper's protocol
_base_ = [
    '../_base_/backbones/starnet_s3.py',
    '../_base_/methods/solider.py',
]

model = dict(encoder=dict(backbone=_base_.backbone))

# statistics over all ranks; tools/train.py leaves it out on CPU
sync_bn = 'torch'
