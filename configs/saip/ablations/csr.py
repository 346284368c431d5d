# Table 4, CSR alone. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 87.1 / 72.4 / 45.2
_base_ = '../vit_tiny.py'

model = dict(
    # without matching nothing trains the blocks behind the patch tokens, so
    # they are taken from the last one (ours)
    encoder=dict(patch_index=-1),
    heads=dict(csm=None, css=None))

# nothing matches local crops or searches a canvas: workers need not cut them
train_pipeline = [
    _base_.train_pipeline[0],
    dict(_base_.train_pipeline[1], num_locals=0, background_size=None)
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
