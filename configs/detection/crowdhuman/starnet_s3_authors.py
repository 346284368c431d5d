# As SAIP's authors fine-tune in their later code: see vit_tiny_authors.py.
# Their FPN expects 192 channels at stride 32, of SAIP*'s network; the class
# that their file names gives 256.
_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/models/crowddet.py',
    '../../_base_/datasets/crowdhuman_batch_resize.py',
    '../../_base_/schedules/det_authors_30e.py',
    '../../_base_/runtime/detection.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        last_stride=1,  # authors
        last_norm=True),  # authors
    neck=[
        dict(type='mmpretrain.HalveLastMap', channels=256),  # authors
        dict(
            type='FPN',
            in_channels=[32, 64, 128, 256],  # authors, but see above
            out_channels=256,  # authors
            upsample_cfg=dict(mode='bilinear', align_corners=False),
            num_outs=5),  # authors
    ],
    roi_head=dict(bbox_head=dict(with_refine=False)))  # authors

sync_bn = None  # authors
