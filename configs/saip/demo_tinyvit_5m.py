# The demo with TinyViT-5M; slower than with ViT-Tiny
_base_ = './demo.py'

model = dict(
    encoder=dict(
        backbone=dict(
            _delete_=True,
            type='StrideMapBackbone',  # maps of strides 4, 8, 16, 32
            model_name='tiny_vit_5m_224',
            # at 96x48 nine tenths of the windows at strides 16 and 32 are
            # padding
            mask_padding=True,
            init_cfg=dict(type='Pretrained',
                          checkpoint=None))))  # None: random
