_base_ = './task.py'

default_scope = 'mmdet'
custom_imports = dict(
    imports=['saip_mm', 'saip_mm.tasks.detection', 'saip_mm.tasks.parsing'],
    allow_failed_imports=False)

default_hooks = dict(
    logger=dict(log_metric_by_epoch=False),
    checkpoint=dict(
        by_epoch=False, interval=5000, save_best='cihp/mIoU', rule='greater'),
    visualization=dict(type='ParsingDrawHook'))  # draw=True to see some
custom_hooks = [dict(type='PartCountHook')]
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=False)
visualizer = dict(
    type='ParsingLocalVisualizer',
    vis_backends=_base_.vis_backends,
    line_width=1)
