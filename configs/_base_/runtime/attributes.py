_base_ = './task.py'

default_scope = 'mmpretrain'
custom_imports = dict(
    imports=['saip_mm', 'saip_mm.tasks.attributes'],
    allow_failed_imports=False)

default_hooks = dict(
    checkpoint=dict(interval=1, save_best='attribute/mA', rule='greater'),
    visualization=dict(type='AttributeDrawHook'))  # draw=True to see some
custom_hooks = [
    dict(type='AttributeCountHook'),
    # Averaged weights are tested and saved, as "Rethinking of PAR" does on
    # PA100K; SAIP's authors do not:
    # dict(type='EMAHook', momentum=2e-4, update_buffers=True),
]
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
visualizer = dict(type='UniversalVisualizer', vis_backends=_base_.vis_backends)
