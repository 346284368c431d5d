# TinyViT-5M, 5.07 M parameters: 64, 128, 160, 320 channels at strides 4 to 32.
# How to use and initialise it: see vit_tiny.py.
backbone = dict(
    type='mmpretrain.StrideMapBackbone',
    model_name='tiny_vit_5m_224',
    init_cfg=dict(type='Pretrained', checkpoint=None))  # None: random
