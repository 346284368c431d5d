# Attributes in minutes on a CPU: StarNet-S3 at 96x48 on rendered people.
#   python tools/dataset_converters/make_synthetic_people.py \
#       data/synthetic_small --formats pa100k --size small
#   python tools/train.py configs/attributes/pa100k/demo.py
_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/demo/attributes.py',
]

model = dict(
    backbone=dict(_base_.backbone, out_indices=(3, )),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(in_channels=256))
