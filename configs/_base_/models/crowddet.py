# CrowdDet, one proposal for two persons, with refinement: what differs from
# faster_rcnn.py. Settings are mmdet's config's, except where it departs from
# CrowdDet's code: the RPN's negatives and the loss of its boxes.
_base_ = './faster_rcnn.py'

model = dict(
    type='CrowdDet',
    data_preprocessor=dict(
        pad_size_divisor=64,
        # the pictures of a batch are resized together
        batch_augments=[
            dict(type='BatchResize', scale=(1400, 800), pad_size_divisor=64)
        ]),
    rpn_head=dict(
        anchor_generator=dict(centers=[(8, 8), (8, 8), (8, 8), (8, 8), (8,
                                                                        8)]),
        loss_cls=dict(use_sigmoid=False),
        # CrowdDet; mmdet has L1Loss
        loss_bbox=dict(type='SmoothL1Loss', beta=1.0, loss_weight=1.0)),
    roi_head=dict(
        type='MultiInstanceRoIHead',
        bbox_roi_extractor=dict(
            roi_layer=dict(
                _delete_=True,
                type='RoIAlign',
                output_size=7,
                sampling_ratio=-1,
                aligned=True,
                use_torchvision=True)),
        bbox_head=dict(
            _delete_=True,
            type='PairBBoxHead',
            with_refine=True,
            num_shared_fcs=2,
            in_channels=256,
            fc_out_channels=1024,
            roi_feat_size=7,
            num_classes=1,
            bbox_coder=dict(
                type='DeltaXYWHBBoxCoder',
                target_means=[0., 0., 0., 0.],
                target_stds=[0.1, 0.1, 0.2, 0.2],
                clip_border=False),
            reg_class_agnostic=False,
            loss_cls=dict(
                type='CrossEntropyLoss',
                loss_weight=1.0,
                use_sigmoid=False,
                reduction='none'),
            loss_bbox=dict(
                type='SmoothL1Loss', loss_weight=1.0, reduction='none'))),
    train_cfg=dict(
        # CrowdDet: negative below 0.3 (faster_rcnn.py), nothing from there to
        # 0.7. mmdet's (0.3, 0.7) means negative in between: what overlaps
        # nobody would never be background. Nothing is ignored here.
        rpn=dict(assigner=dict(ignore_iof_thr=-1)),
        rpn_proposal=dict(nms_pre=2400, max_per_img=2000, min_bbox_size=2),
        rcnn=dict(
            assigner=dict(
                _delete_=True,
                # persons first, then ignored regions, which it knows by
                # itself: ignore_iof_thr is not used
                type='FewBoxesAssigner',
                pos_iou_thr=0.5,
                neg_iou_thr=0.5,
                min_pos_iou=0.3,
                match_low_quality=False,
                ignore_iof_thr=-1),
            sampler=dict(
                type='MultiInsRandomSampler', add_gt_as_proposals=False))),
    test_cfg=dict(rpn=dict(nms_pre=1200, max_per_img=1000, min_bbox_size=2)))
