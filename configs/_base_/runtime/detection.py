_base_ = './task.py'

default_scope = 'mmdet'
custom_imports = dict(
    imports=['saip_mm', 'saip_mm.tasks.detection'], allow_failed_imports=False)

default_hooks = dict(
    checkpoint=dict(interval=1, save_best='crowd_human/mMR', rule='less'),
    visualization=dict(type='DetVisualizationHook'))  # draw=True to see some
custom_hooks = [dict(type='CategoryCountHook')]
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
visualizer = dict(type='DetLocalVisualizer', vis_backends=_base_.vis_backends)
