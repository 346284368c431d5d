# The demo with TinyViT-5M, about twice as slow as with ViT-Tiny
_base_ = './demo.py'

model = dict(
    encoder=dict(
        backbone=dict(
            _delete_=True,
            type='StrideMapBackbone',  # maps of strides 4, 8, 16, 32
            model_name='tiny_vit_5m_224',
            mask_padding=True,  # at 96x48 a tenth of its windows is image
            init_cfg=dict(type='Pretrained',
                          checkpoint=None))))  # None: random
