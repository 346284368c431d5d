# vit_tiny.py, reading tar shards: the same method, schedule and pictures
_base_ = [
    '../_base_/models/saip_vit_tiny.py',
    '../_base_/datasets/lup1m_shards.py',
    '../_base_/schedules/adamw_coslr_300e_amp.py',
    '../_base_/default_runtime.py',
]
