# Table 4, CSM + CSR. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 93.3 / 80.4 / 51.1
_base_ = '../vit_tiny.py'

model = dict(heads=dict(css=None))

# nothing searches a canvas: workers need not cut them
train_pipeline = [
    _base_.train_pipeline[0],
    dict(_base_.train_pipeline[1], background_size=None)
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
