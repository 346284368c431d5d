# As the authors trained part attributes in their later code: smaller pictures,
# no clip, no layer decay, weight decay on everything
_base_ = './vit_tiny.py'

train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(
        _base_.train_pipeline[3],
        scale=(896, 896),  # authors
        ratio_range=(0.5, 1.25)),  # authors
    *_base_.train_pipeline[4:],
]
train_dataloader = dict(
    batch_size=1,  # authors; their number of GPUs is not known, 8 x 1 = 8
    dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(
    _delete_=True,  # no clip, no layer decay, no parameter without decay
    type='AmpOptimWrapper',  # authors
    loss_scale=dict(init_scale=512.),  # authors
    optimizer=dict(
        type='AdamW',
        lr=1e-4,  # authors
        betas=(0.9, 0.999),  # authors: the default
        weight_decay=0.05))  # authors
auto_scale_lr = dict(base_batch_size=8)  # ours, 8 GPUs x 1
