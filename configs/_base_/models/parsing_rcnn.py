# Parsing R-CNN: the detector of persons with a branch for their parts. The
# leaf adds backbone and neck. Numbers are the reference's (its CIHP config
# with ResNet-50), where nothing else is said.
_base_ = './faster_rcnn.py'

model = dict(
    data_preprocessor=dict(pad_seg=True, seg_pad_value=0),  # nobody
    rpn_head=dict(
        anchor_generator=dict(ratios=[0.5, 1.0, 2.0]),
        # boxes are of what is seen: in the picture
        bbox_coder=dict(clip_border=True)),
    roi_head=dict(
        type='ParsingRoIHead',
        bbox_head=dict(bbox_coder=dict(clip_border=True)),
        train_rois=16,
        test_rois=16,  # ours; bounds the memory
        # of stride 4 alone: resolution matters more than level
        mask_roi_extractor=dict(
            type='SingleRoIExtractor',
            roi_layer=dict(
                type='RoIAlign',
                output_size=32,
                sampling_ratio=2,
                use_torchvision=True),  # mmcv's misreads channels last
            out_channels=256,
            featmap_strides=[4]),
        mask_head=dict(
            type='GCEParsingHead',
            num_parts=20,
            in_channels=256,
            conv_channels=512,
            aspp_channels=256,
            num_convs=4,
            dilations=(6, 12, 18),
            with_non_local=True,
            roi_feat_size=32,
            out_size=128,
            loss_parsing=dict(type='CrossEntropyLoss', loss_weight=2.0))),
    train_cfg=dict(rcnn=dict(sampler=dict(pos_fraction=0.25))),
    test_cfg=dict(rcnn=dict(score_thr=0.05, max_per_img=100)))
