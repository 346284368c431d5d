# Table 4, CSM + CSR. The paper: 93.3 / 80.4 / 51.1
_base_ = '../vit_tiny.py'

model = dict(heads=dict(css=None))
