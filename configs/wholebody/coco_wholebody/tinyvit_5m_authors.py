# As SAIP's authors fine-tune in their later code
_base_ = './tinyvit_5m.py'

model = dict(
    backbone=dict(neck_channels=256),  # authors
    head=dict(in_channels=256))  # authors

optim_wrapper = dict(
    optimizer=dict(
        type='Adam',  # authors
        weight_decay=0.),  # authors
    clip_grad=None)  # authors
