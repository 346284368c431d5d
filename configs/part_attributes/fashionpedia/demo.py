# Garments with attributes in minutes on a CPU: KE-RCNN with StarNet-S3 on
# rendered people.
#   python tools/dataset_converters/make_synthetic_people.py \
#       data/synthetic_small --formats fashionpedia --size small
#   python tools/dataset_converters/fashionpedia_knowledge.py \
#       data/synthetic_small/fashionpedia/instances_attributes_train2020.json
#   python tools/train.py configs/part_attributes/fashionpedia/demo.py
_base_ = [
    '../../_base_/backbones/starnet_s3.py',
    '../../_base_/demo/part_attributes.py',
]

model = dict(
    backbone=_base_.backbone,
    neck=dict(
        type='FPN',
        in_channels=[32, 64, 128, 256],
        out_channels=64,
        norm_cfg=dict(type='BN'),  # random maps grow
        num_outs=5))
