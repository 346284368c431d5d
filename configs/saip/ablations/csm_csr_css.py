# Table 4, all three: the default recipe. The paper: 93.6 / 80.7 / 52.3
_base_ = '../vit_tiny.py'
