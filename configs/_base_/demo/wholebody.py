# 133 landmarks of the same people, also by unbiased targets: rounded ones
# would be off by pixels in maps of 32x24
_base_ = './pose.py'

train_dataloader = dict(
    dataset=dict(
        type='WholeBodyDataset',
        ann_file='annotations/coco_wholebody_train_v1.0.json'))
val_dataloader = dict(
    dataset=dict(
        type='WholeBodyDataset',
        ann_file='annotations/coco_wholebody_val_v1.0.json'))
test_dataloader = val_dataloader
val_evaluator = dict(type='WholeBodyMetric')
test_evaluator = val_evaluator
