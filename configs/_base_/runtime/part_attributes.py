_base_ = './detection.py'

custom_imports = dict(
    imports=['saip_mm', 'saip_mm.tasks.part_attributes'],
    allow_failed_imports=False)

default_hooks = dict(
    checkpoint=dict(save_best='fashionpedia/bbox_AP_iou_f1', rule='greater'))
visualizer = dict(type='FashionLocalVisualizer')  # names attributes, too
