_base_ = './task.py'

default_scope = 'mmseg'
custom_imports = dict(
    imports=['saip_mm', 'saip_mm.tasks.part_seg'], allow_failed_imports=False)

default_hooks = dict(
    logger=dict(log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=4000, save_best='mIoU'),
    visualization=dict(type='PartDrawHook'))  # draw=True to see some
custom_hooks = [dict(type='ClassCountHook')]
log_processor = dict(by_epoch=False)
visualizer = dict(
    type='SegLocalVisualizer', vis_backends=_base_.vis_backends, alpha=0.6)

# flip test: tools/test.py --tta; its pairs are the data set's
tta_model = dict(type='PartFlipTTA')
