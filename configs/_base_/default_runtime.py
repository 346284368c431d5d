default_scope = 'mmpretrain'
custom_imports = dict(imports=['saip_mm'], allow_failed_imports=False)

# by name, so that a config can change or add one:
#   default_hooks = dict(checkpoint=dict(interval=1))
#   default_hooks = dict(knn=dict(type='RetrievalMonitorHook', ...))
default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='SafeCheckpointHook',
        interval=10,  # epochs
        max_keep_ckpts=3,
        # a kill while saving leaves the one before as it was
        backend_args=dict(backend='atomic')),
    # load_from= takes what fits of another model: checkpoint_fit.partial=True
    checkpoint_fit=dict(type='CheckpointFitHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # resume: 2n steps = n steps + resume + n steps, to the last bit on CPU
    iteration_seed=dict(type='IterationSeedHook'),
    resume_epoch=dict(type='ResumeEpochHook'),
    pending_gradients=dict(type='PendingGradientsHook'),
    encoder_meta=dict(type='EncoderMetaHook'),
    # a frozen expert is not in checkpoints: its file's hash is
    expert_file=dict(type='ExpertFileHook'),
    plain_checkpoint=dict(type='PlainCheckpointHook'),
    # monitors
    weight_decay=dict(type='WeightDecayLogHook'),
    replaced_images=dict(type='ReplacedImagesHook'),
    collapse=dict(type='CollapseMonitorHook'),
)

env_cfg = dict(
    cudnn_benchmark=True,  # few input sizes; switch off for exact GPU resume
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)

vis_backends = [
    dict(type='LocalVisBackend'),  # vis_data/scalars.json
    dict(type='OptionalTensorboardVisBackend'),  # if installed
]
visualizer = dict(type='UniversalVisualizer', vis_backends=vis_backends)

log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0, deterministic=False)
