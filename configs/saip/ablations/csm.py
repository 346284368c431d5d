# Table 4, CSM alone. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 92.3 / 78.6 / 49.6
_base_ = '../vit_tiny.py'

model = dict(heads=dict(csr=None, css=None))

# nothing searches a canvas: workers need not cut them
train_pipeline = [
    _base_.train_pipeline[0],
    dict(_base_.train_pipeline[1], background_size=None)
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
