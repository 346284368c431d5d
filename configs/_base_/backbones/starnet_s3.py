# StarNet-S3, 5.49 M parameters: 32, 64, 128, 256 channels at strides 4 to 32.
# How to use and initialise it: see vit_tiny.py.
backbone = dict(
    type='mmpretrain.StrideMapBackbone',
    model_name='starnet_s3',
    init_cfg=dict(type='Pretrained', checkpoint=None))  # None: random
