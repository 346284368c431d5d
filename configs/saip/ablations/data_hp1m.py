# Table 5, pretrained on hp1m. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 93.9 / 80.9 / 53.0
_base_ = [
    '../../_base_/models/saip_vit_tiny.py',
    '../../_base_/datasets/hp1m.py',
    '../../_base_/schedules/adamw_coslr_300e_amp.py',
    '../../_base_/default_runtime.py',
]
