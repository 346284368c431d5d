# A-CE2P with self-correction, as SAIP's authors train LIP. Theirs puts a norm
# into the stream of tokens after the blocks 4 and 8, and mixes up places where
# it resizes positions; here what leaves the stream is normalised, and
# positions keep their places.
_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/models/ace2p.py',
    '../../_base_/datasets/lip_576x384.py',
    '../../_base_/schedules/seg_ace2p_150e.py',
    '../../_base_/runtime/part_seg_ace2p.py',
]

norm = dict(type='LN2d', eps=1e-6)  # ours, as the backbone's
model = dict(
    backbone=dict(
        _base_.backbone,
        out_indices=[3, 7, 11],  # authors; of 12 blocks
        drop_path_rate=0.),  # ours; theirs is not known
    neck=dict(
        type='MapNormNeck',
        in_channels=[192, 192, 192],  # authors
        norm_cfgs=[norm, norm, None],  # authors; the last has the backbone's
        scales=[4, 1, 1]),  # authors; strides 4, 16, 16
    decode_head=dict(in_channels=[192, 192, 192], low_channels=192))  # authors
