# Persons' parts in minutes on a CPU: Parsing R-CNN with StarNet-S3 on rendered
# streets.
#   python tools/dataset_converters/make_synthetic_people.py \
#       data/synthetic_small --formats cihp --size small
#   python tools/train.py configs/parsing/cihp/demo.py
_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/demo/parsing.py',
]

model = dict(
    backbone=_base_.backbone,
    neck=dict(
        type='FPN',
        in_channels=[32, 64, 128, 256],
        out_channels=64,
        norm_cfg=dict(type='BN'),  # random maps grow
        num_outs=5))
