# As SAIP's authors fine-tune in their later code: see vit_tiny_authors.py.
# Maps at strides 4 and 8, the last stage's at 16, the neck's at 32. Their FPN
# expects 192 channels of that, of SAIP*'s network; the class that their file
# names gives 256.
_base_ = [
    '../../_base_/backbones/tinyvit_5m.py',
    '../../_base_/models/crowddet.py',
    '../../_base_/datasets/crowdhuman_batch_resize.py',
    '../../_base_/schedules/det_authors_30e.py',
    '../../_base_/runtime/detection.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        last_stride=1,  # authors
        neck_channels=256,  # authors
        neck_stride=2,  # authors
        out_indices=(0, 1, 3)),  # authors
    neck=dict(
        type='FPN',
        in_channels=[64, 128, 320, 256],  # authors, but see above
        out_channels=256,  # authors
        upsample_cfg=dict(mode='bilinear', align_corners=False),
        num_outs=5),  # authors
    roi_head=dict(bbox_head=dict(with_refine=False)))  # authors

train_dataloader = dict(batch_size=8)  # authors, 2 GPUs x 8 = 16

sync_bn = None  # authors
