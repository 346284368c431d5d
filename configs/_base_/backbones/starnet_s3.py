# StarNet-S3, 5.49 M parameters: 32, 64, 128, 256 channels at strides 4, 8, 16
# and, with last_stride=2, 32, which pyramids for detection want. The same
# weights serve both strides.
# How to use and initialise it: see vit_tiny.py.
backbone = dict(
    type='mmpretrain.StrideMapBackbone',
    model_name='starnet_s3',
    last_stride=1,  # authors
    init_cfg=dict(type='Pretrained', checkpoint=None))  # None: random
