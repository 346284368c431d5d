# Table 5, pretrained on in1k. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 90.2 / 77.8 / 50.1
_base_ = [
    '../../_base_/models/saip_vit_tiny.py',
    '../../_base_/datasets/in1k.py',
    '../../_base_/schedules/adamw_coslr_300e_amp.py',
    '../../_base_/default_runtime.py',
]
