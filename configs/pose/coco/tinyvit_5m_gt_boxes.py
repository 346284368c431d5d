# Tested with the annotated boxes instead of a detector's
_base_ = './tinyvit_5m.py'

val_dataloader = dict(dataset=dict(bbox_file=None))
test_dataloader = val_dataloader
