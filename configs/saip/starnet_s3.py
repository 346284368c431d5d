_base_ = [
    '../_base_/models/saip_starnet_s3.py',
    '../_base_/datasets/lup1m.py',
    '../_base_/schedules/adamw_coslr_300e_amp.py',
    '../_base_/default_runtime.py',
]

# statistics over all ranks; tools/train.py leaves it out on CPU
sync_bn = 'torch'
