_base_ = [
    '../../_base_/backbones/tinyvit_5m.py',
    '../../_base_/models/transreid.py',
    '../../_base_/datasets/msmt17_256x128.py',
    '../../_base_/schedules/reid_sgd_120e.py',
    '../../_base_/runtime/reid.py',
]

model = dict(
    backbone=dict(
        _base_.backbone,
        last_stride=2,  # authors, in this task alone
        neck_channels=256),  # authors; trained in pretraining, if it was there
    head=dict(num_classes=1041))  # authors; persons to train with
