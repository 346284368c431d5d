# TinyViT-5M, 5.07 M parameters: 64, 128, 160, 320 channels at strides 4, 8, 16
# and, with last_stride=2, 32, which pyramids for detection want. The same
# weights serve both strides.
# How to use and initialise it: see vit_tiny.py.
backbone = dict(
    type='mmpretrain.StrideMapBackbone',
    model_name='tiny_vit_5m_224',
    last_stride=1,  # authors
    init_cfg=dict(type='Pretrained', checkpoint=None))  # None: random
