# SOLIDER on few pictures, for the comparison of README.md.
_base_ = './dino_vit_tiny.py'

model = dict(
    encoder=dict(
        type='SemanticEncoder',
        semantic_weight=0.2,  # SOLIDER's of search: what monitors see
    ),
    heads=dict(
        dino=dict(
            type='SOLIDERHead',
            part_classifier=dict(hidden_dims=256, bottleneck_dims=64))))
