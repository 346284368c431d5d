# Search by text in minutes on a CPU: StarNet-S3 at 96x32 on rendered people.
#   python tools/dataset_converters/make_synthetic_people.py \
#       data/synthetic_small --formats cuhk_pedes --size small
#   python tools/train.py configs/text_reid/cuhk_pedes/demo.py
_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/demo/text_reid.py',
]

model = dict(backbone=_base_.backbone, neck=dict(in_channels=256))
