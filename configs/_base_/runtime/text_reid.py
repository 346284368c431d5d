_base_ = './task.py'

default_scope = 'mmpretrain'
custom_imports = dict(
    imports=['saip_mm', 'saip_mm.tasks.text_reid'], allow_failed_imports=False)

default_hooks = dict(
    checkpoint=dict(interval=1, save_best='t2i/Rank-1', rule='greater'),
    # resume: 2n epochs = n epochs + resume + n epochs
    iteration_seed=dict(type='IterationSeedHook'),
    resume_epoch=dict(type='ResumeEpochHook'))
custom_hooks = [dict(type='CaptionCheckHook')]
visualizer = dict(type='UniversalVisualizer', vis_backends=_base_.vis_backends)
