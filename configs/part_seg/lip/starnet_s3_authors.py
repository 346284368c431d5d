# A-CE2P with self-correction, as SAIP's authors train LIP
_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/models/ace2p.py',
    '../../_base_/datasets/lip_576x384.py',
    '../../_base_/schedules/seg_ace2p_150e.py',
    '../../_base_/runtime/part_seg_ace2p.py',
]

model = dict(
    backbone=dict(_base_.backbone, last_stride=1),  # authors
    neck=dict(
        type='MapNormNeck',
        in_channels=[32, 64, 128, 256],  # authors
        norm_cfgs=[None, None, None, dict(type='BN')],  # authors
        scales=[1, 1, 1, 1]),  # authors; maps as they are
    decode_head=dict(
        in_channels=[32, 64, 128, 256],  # authors
        low_channels=32))  # authors
