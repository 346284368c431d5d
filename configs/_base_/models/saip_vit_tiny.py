# SAIP on ViT-Tiny/16: 5.51 M parameters, class token 192 wide, 16x8 patches
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
    encoder=dict(
        type='PersonEncoder',
        patch_index=6,  # release: patch tokens of block 7 of 12
        backbone=dict(
            type='GridVisionTransformer',
            arch='deit-tiny',
            img_size=(256, 128),  # height, width
            patch_size=16,
            drop_path_rate=0.,  # release; DINO 0.1
            init_cfg=dict(type='Pretrained',
                          checkpoint=None))),  # None: random
    expert=dict(type='EmaExpert'),
    heads=dict(
        csm=dict(
            type='CrossScaleMatchingHead',
            decoder=dict(
                type='ImageDecoder',
                hidden_dims=2048,  # DINO
                bottleneck_dims=256,  # DINO
                num_prototypes=65536),  # DINO
            student_temperature=0.1,  # DINO
            expert_temperature=0.04,  # DINO; raised by ExpertTemperatureHook
            center_momentum=0.9,  # DINO
            loss_weight=1.0),
        csr=dict(
            type='CrossScaleReconstructionHead',
            mask_ratio=0.75,  # paper 3.2
            decoder=dict(dims=256, depth=2, num_heads=8),  # ours
            loss_weight=1.0),
        css=dict(
            type='CrossScaleSearchHead',
            loss='mse',  # Eq. 3; release: 'bce'
            decoder=dict(dims=256, depth=2, num_heads=8),  # ours
            loss_weight=1.0)))
