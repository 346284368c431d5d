# Table 5, pretrained on lup1m_hp1m_in1k. Paper (Market rank-1, PA100K mA,
# LIP mIoU): 94.4 / 82.3 / 53.6
_base_ = [
    '../../_base_/models/saip_vit_tiny.py',
    '../../_base_/datasets/lup1m_hp1m_in1k.py',
    '../../_base_/schedules/adamw_coslr_300e_amp.py',
    '../../_base_/default_runtime.py',
]
