# What fine-tuning shares, whatever the library; part_seg.py and detection.py
# add the scope, the imports and the visualizer.
default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='mmpretrain.SafeCheckpointHook',
        max_keep_ckpts=2,
        # a kill while saving leaves the one before as it was
        backend_args=dict(backend='atomic')),
    # load_from= takes what fits of another model: checkpoint_fit.partial=True
    checkpoint_fit=dict(type='mmpretrain.CheckpointFitHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    plain_checkpoint=dict(type='mmpretrain.PlainCheckpointHook'))

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))

vis_backends = [
    dict(type='LocalVisBackend'),  # vis_data/scalars.json
    dict(type='mmpretrain.OptionalTensorboardVisBackend'),  # if installed
]

log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0, deterministic=False)
# the runner applies it in distributed runs only: BatchNorm over all GPUs
sync_bn = 'torch'
