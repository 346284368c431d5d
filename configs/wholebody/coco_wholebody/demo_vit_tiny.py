# The demo with ViT-Tiny, which starts slower from random weights
_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/demo/wholebody.py',
]

model = dict(
    backbone=dict(_base_.backbone, init='mmpretrain', drop_path_rate=0.),
    head=dict(
        in_channels=192,
        out_channels=133,
        deconv_out_channels=(64, 64),  # from stride 16
        deconv_kernel_sizes=(4, 4),
        decoder=_base_.codec))

default_hooks = dict(checkpoint=dict(save_best='coco-wholebody/AP'))
