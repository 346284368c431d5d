# Pose in minutes on a CPU: StarNet-S3 at 128x96 on rendered people.
#   python tools/dataset_converters/make_synthetic_people.py data/synthetic \
#       --formats coco --size tiny
#   python tools/train.py configs/pose/coco/demo.py
_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/demo/pose.py',
]

model = dict(
    backbone=dict(_base_.backbone, out_indices=(3, )),
    head=dict(
        in_channels=256,
        out_channels=17,
        deconv_out_channels=(64, 64, 64),
        decoder=_base_.codec))

default_hooks = dict(checkpoint=dict(save_best='coco/AP'))
