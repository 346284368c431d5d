# Table 4, CSM + CSR. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 93.3 / 80.4 / 51.1
_base_ = '../vit_tiny.py'

model = dict(heads=dict(css=None))
