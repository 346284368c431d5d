# Table 4, CSS alone. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 89.1 / 75.2 / 47.8
_base_ = '../vit_tiny.py'

model = dict(
    # see csr.py
    encoder=dict(patch_index=-1),
    heads=dict(csm=None, csr=None))
