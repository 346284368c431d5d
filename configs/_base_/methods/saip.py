# SAIP: objectives, views and expert. The leaf adds the backbone:
#   _base_ = ['PATH/_base_/backbones/starnet_s3.py',
#             'PATH/_base_/methods/saip.py', ...]
#   model = dict(encoder=dict(backbone=_base_.backbone))
_base_ = './prototypes.py'

model = dict(
    type='SAIP',
    data_preprocessor=dict(
        type='PersonViewPreprocessor',
        scale_range=(0.75, 1.5),  # paper 3.2
        canvas=dict(
            size=(256, 256),  # ours; release 224x224
            factor=0.5,  # release
            alpha=0.7,  # release
            distractors=1)),  # ours; release pastes one person only
    encoder=dict(type='PersonEncoder',
                 patch_index=6),  # release: patch tokens of block 7 of 12
    expert=dict(type='EmaExpert'),
    heads=dict(
        csm=dict(
            _base_.prototypes, type='CrossScaleMatchingHead',
            loss_weight=1.0),  # ours, see docs/results.md
        csr=dict(
            type='CrossScaleReconstructionHead',
            mask_ratio=0.75,  # paper 3.2
            decoder=dict(dims=256, depth=2, num_heads=8),  # ours
            loss_weight=1.0),  # ours
        css=dict(
            type='CrossScaleSearchHead',
            loss='mse',  # Eq. 3; release: 'bce'
            decoder=dict(dims=256, depth=2, num_heads=8),  # ours
            loss_weight=1.0)))  # ours
