# Table 4, CSM alone. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 92.3 / 78.6 / 49.6
_base_ = '../vit_tiny.py'

model = dict(heads=dict(csr=None, css=None))
