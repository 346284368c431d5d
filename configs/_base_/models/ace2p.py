# A-CE2P in the widths of SAIP's authors, 11.4 to 11.7 M parameters beside the
# backbone. The leaf adds backbone, neck, in_channels and low_channels.
model = dict(
    type='ACE2P',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],  # authors: RGB, ImageNet's
        std=[58.395, 57.12, 57.375],  # authors
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(576, 384)),  # training; test pictures come fitted
    decode_head=dict(
        type='ACE2PHead',
        channels=256,  # authors; decoder and fusion
        context_channels=512,  # authors
        pool_scales=(1, 2, 3, 6),  # authors
        edge_channels=192,  # authors; of each of three maps
        dropout_ratio=0.1,  # authors
        num_classes=20,
        norm_cfg=dict(type='BN'),
        align_corners=False,
        # of decoder and fusion, each; once there is an average, the
        # divergence from refined labels takes the place of cross entropy
        loss_decode=[
            dict(type='RefinableCrossEntropy', loss_weight=0.5),  # authors
            dict(type='LovaszSoftmaxLoss', loss_weight=0.5),  # authors
        ],
        edge_width=3,  # authors; pixels
        loss_edge=dict(type='BalancedEdgeLoss', loss_weight=1.0),  # ours
        loss_consistency=dict(
            type='EdgeConsistencyLoss',
            loss_weight=0.1,  # authors
            gradient=False)),  # authors; True teaches the edge branch
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
