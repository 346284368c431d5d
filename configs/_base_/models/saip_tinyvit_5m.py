# SAIP on TinyViT-5M: 5.07 M parameters, image token 320, patch tokens 160 wide
_base_ = './saip_vit_tiny.py'

model = dict(
    encoder=dict(
        backbone=dict(
            _delete_=True,
            type='StrideMapBackbone',  # maps of strides 4, 8, 16, 32
            model_name='tiny_vit_5m_224',
            init_cfg=dict(type='Pretrained',
                          checkpoint=None))))  # None: random
