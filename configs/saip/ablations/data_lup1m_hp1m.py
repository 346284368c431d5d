# Table 5, pretrained on lup1m_hp1m. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 94.0 / 81.7 / 52.9
_base_ = [
    '../../_base_/models/saip_vit_tiny.py',
    '../../_base_/datasets/lup1m_hp1m.py',
    '../../_base_/schedules/adamw_coslr_300e_amp.py',
    '../../_base_/default_runtime.py',
]
