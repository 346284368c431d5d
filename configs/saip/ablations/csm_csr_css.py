# Table 4, all three: the default recipe. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 93.6 / 80.7 / 52.3
_base_ = '../vit_tiny.py'
