_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/models/heatmap_pose.py',
    '../../_base_/datasets/coco_keypoints_256x192.py',
    '../../_base_/schedules/pose_adamw_210e.py',
    '../../_base_/runtime/pose.py',
]

model = dict(
    backbone=_base_.backbone,
    head=dict(in_channels=192, out_channels=17, decoder=_base_.codec),
    test_cfg=dict(shift_heatmap=False))

optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=0.8))  # ViTPose

default_hooks = dict(checkpoint=dict(save_best='coco/AP'))
