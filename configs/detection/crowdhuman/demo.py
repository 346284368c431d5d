# Pedestrians in minutes on a CPU: Faster R-CNN with StarNet-S3 on rendered
# crowds.
#   python tools/dataset_converters/make_synthetic_people.py \
#       data/synthetic_small --formats crowdhuman --size small
#   python tools/train.py configs/detection/crowdhuman/demo.py
_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/demo/detection.py',
]

model = dict(
    backbone=_base_.backbone,
    neck=dict(
        type='FPN',
        in_channels=[32, 64, 128, 256],
        out_channels=64,
        norm_cfg=dict(type='BN'),  # random maps grow
        num_outs=5))
