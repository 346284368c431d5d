# SOLIDER on few pictures, for the comparison of README.md.
# Maps of 3x2 cells have no parts: the last stage keeps stride 16.
_base_ = './dino_starnet_s3.py'

model = dict(
    encoder=dict(
        type='SemanticEncoder',
        semantic_weight=0.2,  # SOLIDER's of search: what monitors see
        backbone=dict(last_stride=1),
    ),
    heads=dict(
        dino=dict(
            type='SOLIDERHead',
            part_classifier=dict(hidden_dims=256, bottleneck_dims=64))))
