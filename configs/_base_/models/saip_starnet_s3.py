# SAIP on StarNet-S3: 5.49 M parameters, image token 256, patch tokens 128 wide
_base_ = './saip_vit_tiny.py'

model = dict(
    encoder=dict(
        backbone=dict(
            _delete_=True,
            type='StrideMapBackbone',  # maps of strides 4, 8, 16, 32
            model_name='starnet_s3',
            init_cfg=dict(type='Pretrained',
                          checkpoint=None))))  # None: random
