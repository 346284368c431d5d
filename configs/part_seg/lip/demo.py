# Body parts in minutes on a CPU: StarNet-S3 at 96x96 on rendered people.
#   python tools/dataset_converters/make_synthetic_people.py \
#       data/synthetic_small --formats lip --size small
#   python tools/train.py configs/part_seg/lip/demo.py
_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/demo/part_seg.py',
]

model = dict(
    backbone=_base_.backbone,
    decode_head=dict(in_channels=[32, 64, 128, 256]),
    auxiliary_head=dict(in_channels=128))
