_base_ = './task.py'

default_scope = 'mmpretrain'
custom_imports = dict(
    imports=['saip_mm', 'saip_mm.tasks.reid'], allow_failed_imports=False)

default_hooks = dict(
    # the last epoch is the result: the test set is no means to choose one
    checkpoint=dict(interval=10))
custom_hooks = [
    dict(type='IdentityCountHook'),
    dict(type='EpochLengthHook'),  # epochs differ a little in length
    dict(type='IterationSeedHook'),
]
visualizer = dict(type='UniversalVisualizer', vis_backends=_base_.vis_backends)
