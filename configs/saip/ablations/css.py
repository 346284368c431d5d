# Table 4, CSS alone. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 89.1 / 75.2 / 47.8
_base_ = '../vit_tiny.py'

model = dict(
    # see csr.py
    encoder=dict(patch_index=-1),
    heads=dict(csm=None, csr=None))

# nothing matches local crops: workers need not cut them
train_pipeline = [
    _base_.train_pipeline[0],
    dict(_base_.train_pipeline[1], num_locals=0)
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
