_base_ = [
    '../../_base_/backbones/tinyvit_5m.py',
    '../../_base_/models/heatmap_pose.py',
    '../../_base_/datasets/coco_keypoints_256x192.py',
    '../../_base_/schedules/pose_adamw_210e.py',
    '../../_base_/runtime/pose.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        last_stride=1,  # authors
        out_indices=(3, )),
    head=dict(in_channels=320, out_channels=17, decoder=_base_.codec),
    test_cfg=dict(shift_heatmap=False))

default_hooks = dict(checkpoint=dict(save_best='coco/AP'))
