_base_ = './task.py'

default_scope = 'mmpose'
custom_imports = dict(
    imports=['saip_mm', 'saip_mm.tasks.pose'], allow_failed_imports=False)

default_hooks = dict(
    checkpoint=dict(interval=10, rule='greater'),
    # pictures of the results: default_hooks.visualization.enable=True
    # default_hooks.visualization.out_dir=pictures
    visualization=dict(type='PersonVisualizationHook', enable=False))
custom_hooks = [
    dict(type='HeatmapCheckHook'),
    dict(type='SyncBuffersHook'),  # BatchNorm statistics, once an epoch
]
sync_bn = None  # 64 persons a GPU are enough
visualizer = dict(type='PoseLocalVisualizer', vis_backends=_base_.vis_backends)
