_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/models/transreid.py',
    '../../_base_/datasets/market1501_256x128.py',
    '../../_base_/schedules/reid_sgd_120e.py',
    '../../_base_/runtime/reid.py',
]

model = dict(
    backbone=dict(_base_.backbone, drop_path_rate=0.1),  # authors
    head=dict(num_classes=751))  # authors; persons to train with
