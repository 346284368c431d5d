# Pose in minutes on a CPU: StarNet-S3 at 128x96 on rendered people.
#   python tools/dataset_converters/make_synthetic_people.py \
#       data/synthetic_small --formats coco --size small
#   python tools/train.py configs/pose/coco/demo.py
_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/demo/pose.py',
]

model = dict(
    # the map of the third stage, of stride 16
    backbone=dict(_base_.backbone, out_indices=(2, )),
    head=dict(in_channels=128))
