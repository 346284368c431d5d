# As SAIP's authors fine-tune in their later code, with annotated boxes
_base_ = './starnet_s3.py'

model = dict(backbone=dict(last_norm=True))  # authors

train_dataloader = dict(batch_size=256)  # authors
val_dataloader = dict(dataset=dict(bbox_file=None))  # authors
test_dataloader = val_dataloader

optim_wrapper = dict(
    optimizer=dict(weight_decay=0.),  # authors
    clip_grad=None)  # authors
