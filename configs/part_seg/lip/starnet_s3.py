_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/models/upernet.py',
    '../../_base_/datasets/lip_480x480.py',
    '../../_base_/schedules/seg_adamw_40k.py',
    '../../_base_/runtime/part_seg.py',
]

model = dict(
    backbone=dict(_base_.backbone, last_stride=1),  # authors
    decode_head=dict(in_channels=[32, 64, 128, 256]),
    auxiliary_head=dict(in_channels=128))
