# SOLIDER for the demos of DINO, at their size. A leaf takes what it needs:
#   _base_ = ['../dino/demo.py', '../_base_/demo/solider.py']
#   model = dict(_base_.solider)
solider = dict(
    encoder=dict(
        type='SemanticEncoder',
        semantic_weight=0.2),  # SOLIDER's of search: what monitors see
    heads=dict(
        dino=dict(
            type='SOLIDERHead',
            part_classifier=dict(hidden_dims=256, bottleneck_dims=64))))
