# As SAIP's authors fine-tune in their later code: CrowdDet without refinement,
# a pyramid of four maps and a top-down FPN. Left out are their pictures in BGR
# with statistics of BGR; pretraining has RGB. Their file has the heads of
# SAIP*'s students; for these:
#   model.backbone.num_heads=6 model.backbone.last_block_heads=12
_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/models/crowddet.py',
    '../../_base_/datasets/crowdhuman_batch_resize.py',
    '../../_base_/schedules/det_authors_30e.py',
    '../../_base_/runtime/detection.py',
]

model = dict(
    backbone=dict(_base_.backbone, drop_path_rate=0.),  # authors
    neck=[
        dict(type='mmpretrain.MapPyramid', in_channels=192),  # authors
        dict(
            type='FPN',
            in_channels=[48, 96, 192, 192],  # authors
            out_channels=256,  # authors
            upsample_cfg=dict(mode='bilinear', align_corners=False),
            num_outs=5),  # authors
    ],
    roi_head=dict(bbox_head=dict(with_refine=False)))  # authors

sync_bn = None  # authors
