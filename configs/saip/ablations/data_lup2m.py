# Table 5, pretrained on lup2m. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 93.7 / 80.4 / 52.6
_base_ = [
    '../../_base_/models/saip_vit_tiny.py',
    '../../_base_/datasets/lup2m.py',
    '../../_base_/schedules/adamw_coslr_300e_amp.py',
    '../../_base_/default_runtime.py',
]
