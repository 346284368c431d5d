# StarNet-S3, 5.49 M parameters: 32, 64, 128, 256 channels at strides 4 to 32.
# With last_stride=1, as SAIP's authors have it, the last map is of stride 16,
# like the one before; pose and part segmentation take that, their demos,
# pretraining and detection 32. The same weights serve both.
# How to use and initialise it: see vit_tiny.py.
backbone = dict(
    type='mmpretrain.StrideMapBackbone',
    model_name='starnet_s3',
    last_stride=2,
    init_cfg=dict(type='Pretrained', checkpoint=None))  # None: random
