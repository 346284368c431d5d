# As the authors trained part attributes in their later code: a higher rate, no
# clip, weight decay on everything, single precision
_base_ = './tinyvit_5m.py'

train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(
        _base_.train_pipeline[3],
        scale=(1024, 1024),  # authors
        ratio_range=(0.5, 1.5)),  # authors
    *_base_.train_pipeline[4:],
]
train_dataloader = dict(
    batch_size=2,  # authors; their number of GPUs is not known, 8 x 2 = 16
    dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(
    _delete_=True,  # no clip, no parameter without decay
    type='OptimWrapper',  # authors
    optimizer=dict(
        type='AdamW',
        lr=5e-4,  # authors
        betas=(0.9, 0.999),  # authors: the default
        weight_decay=0.05))  # authors
