# Categories of your own, in COCO's format. Copy this file to your folder, let
# _base_ name the shipped config (another backbone's say) by its path there,
# and set the five lines below:
#   data/own/train.json, val.json     images, annotations, categories
#   data/own/train/, data/own/val/    the pictures
# What a file needs and what may be missing: see CocoBoxesDataset. In
# CrowdHuman's format the shipped config does, with data_root, num_classes and
#   metainfo=dict(classes=...)        the tags to be found
# in its three data sets; boxes of other tags are ignored regions.
_base_ = '../crowdhuman/starnet_s3.py'

classes = ('person', 'bicycle')  # names in the file, in the model's order
data_root = 'data/own'
train = dict(ann_file='train.json', data_prefix=dict(img='train/'))
val = dict(ann_file='val.json', data_prefix=dict(img='val/'))
ratios = [0.5, 1.0, 2.0]  # height over width; persons alone: [1.0, 2.0, 3.0]

model = dict(
    rpn_head=dict(anchor_generator=dict(ratios=ratios)),
    roi_head=dict(bbox_head=dict(num_classes=len(classes))))

shared = dict(
    type='CocoBoxesDataset',
    data_root=data_root,
    metainfo=dict(classes=classes))
train_dataloader = dict(dataset=dict(**shared, **train))
val_dataloader = dict(dataset=dict(**shared, **val))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='CocoBoxesMetric', classwise=True)
test_evaluator = val_evaluator
default_hooks = dict(
    checkpoint=dict(save_best='coco/bbox_mAP', rule='greater'))
