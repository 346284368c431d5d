# All of TransReID, see ../market1501/vit_tiny_jpm_sie.py
_base_ = './vit_tiny.py'

model = dict(
    jpm=dict(shift=5, divide=4),  # reference
    sie=dict(num_cams=15, weight=3.0))  # reference
