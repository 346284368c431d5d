# Table 4, CSM + CSS. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 92.2 / 79.1 / 50.7
_base_ = '../vit_tiny.py'

model = dict(heads=dict(csr=None))
