# 133 landmarks of the pose demo's people, also by unbiased targets: rounded
# ones are off by up to two pixels of 128x96
_base_ = './pose.py'

model = dict(head=dict(out_channels=133))
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
default_hooks = dict(checkpoint=dict(save_best='coco-wholebody/AP'))
