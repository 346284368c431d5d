# SOLIDER on a CPU: StarNet-S3 at 64x32 on rendered people, ten epochs behind
# ../dino/demo.py:
#   --cfg-options load_from=work_dirs/dino/demo/epoch_40.pth
# Maps have 2 cells at stride 32 there: the last stage keeps stride 16.
_base_ = ['../dino/demo.py', '../_base_/demo/solider.py']

model = dict(
    _base_.solider,
    encoder=dict(_base_.solider.encoder, backbone=dict(last_stride=1)))
train_cfg = dict(max_epochs=10)
default_hooks = dict(
    checkpoint_fit=dict(partial=True),
    checkpoint=dict(interval=5),
    knn=dict(interval=5))
