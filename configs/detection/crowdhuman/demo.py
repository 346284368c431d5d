# Pedestrians in minutes on a CPU: Faster R-CNN with StarNet-S3 on rendered
# crowds.
#   python tools/dataset_converters/make_synthetic_people.py data/synthetic \
#       --formats crowdhuman --size tiny
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
        num_outs=5))
