# Tested with the annotated boxes instead of a detector's
_base_ = './starnet_s3.py'

val_dataloader = dict(dataset=dict(bbox_file=None))
test_dataloader = val_dataloader
