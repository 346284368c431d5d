# SOLIDER in the paper's protocol (4.2): DINO of an encoder with controllers,
# and a classifier of body parts. Where the controllers of these backbones act
# is ours: SOLIDER is published for Swin alone. The leaf adds the backbone.
_base_ = './dino.py'

model = dict(
    encoder=dict(
        type='SemanticEncoder',
        semantic_weight=0.2),  # SOLIDER's of search: what monitors see
    heads=dict(
        dino=dict(
            type='SOLIDERHead',
            part_classifier=dict(
                hidden_dims=2048, bottleneck_dims=256,
                num_layers=3),  # SOLIDER
            num_parts=3,  # SOLIDER
            semantic_weight=1.0,  # SOLIDER
            # ours: trained; SOLIDER's release leaves it as it starts
            freeze_part_classifier=False)))
