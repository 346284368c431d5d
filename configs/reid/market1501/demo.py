# Search for persons in minutes on a CPU: StarNet-S3 at 96x48 on rendered
# people.
#   python tools/dataset_converters/make_synthetic_people.py \
#       data/synthetic_small --formats market1501 --size small
#   python tools/train.py configs/reid/market1501/demo.py
_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/demo/reid.py',
]

model = dict(backbone=dict(_base_.backbone, last_norm=True))
