# SOLIDER on a CPU: StarNet-S3 at 64x32 on rendered people, ten epochs behind
# ../dino/demo.py:
#   --cfg-options load_from=work_dirs/dino/demo/epoch_40.pth
# Maps have 2 cells at stride 32 there: the last stage keeps stride 16.
_base_ = '../dino/demo.py'

model = dict(
    encoder=dict(
        type='SemanticEncoder',
        semantic_weight=0.2,
        backbone=dict(last_stride=1)),
    heads=dict(
        dino=dict(
            type='SOLIDERHead',
            part_classifier=dict(hidden_dims=256, bottleneck_dims=64))))
train_cfg = dict(max_epochs=10)
default_hooks = dict(
    checkpoint_fit=dict(partial=True),
    checkpoint=dict(interval=5),
    knn=dict(interval=5))
