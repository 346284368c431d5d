# As SAIP's authors fine-tune in their later code, with annotated boxes
_base_ = './tinyvit_5m.py'

model = dict(
    backbone=dict(neck_channels=256),  # authors
    head=dict(in_channels=256))  # authors

train_pipeline = [
    *_base_.train_pipeline[:4],
    dict(type='RandomBBoxTransform', rotate_factor=40.),  # authors
    *_base_.train_pipeline[5:],
]
train_dataloader = dict(
    batch_size=128,  # authors
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(bbox_file=None))  # authors
test_dataloader = val_dataloader

optim_wrapper = dict(
    optimizer=dict(
        lr=7e-4,  # authors
        weight_decay=0.),  # authors
    clip_grad=None)  # authors
