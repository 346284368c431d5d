# DINO on StarNet-S3 in the paper's protocol
_base_ = './vit_tiny.py'

model = dict(
    encoder=dict(
        backbone=dict(
            _delete_=True,
            type='StrideMapBackbone',  # maps of strides 4, 8, 16, 32
            model_name='starnet_s3',
            init_cfg=dict(type='Pretrained',
                          checkpoint=None))))  # None: random

# statistics over all ranks; tools/train.py leaves it out on CPU
sync_bn = 'torch'
