# Top-down heat maps: two transposed convolutions from the backbone's last map,
# of stride 16, up to stride 4. The leaf adds backbone, in_channels,
# out_channels and codec.
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True),
    head=dict(
        type='HeatmapHead',
        deconv_out_channels=(256, 256),  # authors
        deconv_kernel_sizes=(4, 4),
        loss=dict(type='KeypointMSELoss', use_target_weight=True)),
    test_cfg=dict(flip_test=True, flip_mode='heatmap'))
