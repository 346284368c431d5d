# All of TransReID: parts of shuffled patches, and cameras told to the model.
# Its patches overlap as well: model.backbone.patch_cfg.stride=12 and
# model.backbone.patch_cfg.padding=0
_base_ = './vit_tiny.py'

model = dict(
    jpm=dict(shift=5, divide=4),  # reference
    sie=dict(num_cams=6, weight=3.0))  # reference
