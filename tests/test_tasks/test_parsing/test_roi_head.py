import numpy as np
import pytest
import torch
from mmdet.models.task_modules import SamplingResult  # noqa: F401
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData, PixelData

from saip_mm.tasks import parsing  # noqa: F401
from saip_mm.tasks.parsing.parts import join_maps
from .cihp_files import PICTURES, draw_persons
from .test_gce_head import TINY

EXTRACTOR = dict(
    type='SingleRoIExtractor',
    roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=0),
    out_channels=8,
    featmap_strides=[4])
SIZE, BOXES = PICTURES['0000006']


@pytest.fixture(autouse=True)
def scope():
    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


def build(**changes):
    mask = dict(
        EXTRACTOR, roi_layer=dict(EXTRACTOR['roi_layer'], output_size=8))
    sampler = dict(
        type='RandomSampler',
        num=16,
        pos_fraction=0.5,
        add_gt_as_proposals=True)
    assigner = dict(
        type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5,
        min_pos_iou=0.5)  # yapf: disable
    cfg = Config(
        dict(
            type='ParsingRoIHead',
            bbox_roi_extractor=EXTRACTOR,
            bbox_head=dict(
                type='Shared2FCBBoxHead',
                in_channels=8,
                fc_out_channels=8,
                num_classes=1),
            mask_roi_extractor=mask,
            mask_head=dict(type='GCEParsingHead', **TINY),
            train_cfg=dict(assigner=assigner, sampler=sampler, pos_weight=-1),
            test_cfg=dict(
                score_thr=0.0,
                nms=dict(type='nms', iou_threshold=0.9),
                max_per_img=20)))
    cfg.merge_from_dict(changes)
    torch.manual_seed(0)
    head = MODELS.build(cfg._cfg_dict)
    head.init_weights()
    return head


def sample(boxes=BOXES, scale=1.):
    parts, humans = draw_persons(SIZE, boxes)
    data = DetDataSample(
        metainfo=dict(
            img_path='a.jpg',
            img_shape=SIZE,
            ori_shape=tuple(int(s / scale) for s in SIZE),
            scale_factor=(scale, scale)))
    corners = [[x, y, x + w, y + h] for x, y, w, h in boxes]
    data.gt_instances = InstanceData(
        bboxes=torch.tensor(corners).float().reshape(-1, 4),
        labels=torch.zeros(len(boxes), dtype=torch.long),
        human_ids=torch.arange(1,
                               len(boxes) + 1))
    data.gt_sem_seg = PixelData(
        sem_seg=torch.from_numpy(join_maps(parts, humans))[None])
    return data


def features(count=2):
    torch.manual_seed(1)
    return (torch.randn(count, 8, 12, 16, requires_grad=True), )


def proposals(boxes):
    return InstanceData(bboxes=torch.tensor(boxes).float().reshape(-1, 4))


AROUND = [[x + dx, y + dx, x + w, y + h] for x, y, w, h in BOXES
          for dx in (-2, 0, 2)]


def test_learns_from_some_of_the_positive_boxes(monkeypatch):
    head, seen = build(train_rois=3), []
    monkeypatch.setattr(
        head.mask_head, 'loss', lambda logits, targets: seen.append(
            (logits, targets)) or dict(loss_parsing=logits.sum()))
    samples = [sample(), sample([BOXES[0]])]
    losses = head.loss(features(), [proposals(AROUND), proposals([])], samples)
    assert {'loss_cls', 'loss_bbox', 'loss_parsing'} <= set(losses)
    (logits, targets), = seen
    # eight positive boxes in the first picture, the annotated one alone in
    # the other
    assert len(targets) == len(logits) == 3 + 1
    assert {*targets.unique().tolist()} <= {0, 2, 5, 16, 17}
    whole = targets[3]
    assert (whole[:10] == 2).all() and (whole[17:, :15] == 17).all()
    assert (whole[17:, 17:] == 16).all()


@pytest.mark.parametrize('boxes', [[], [[40, 40, 50, 44]]])
def test_nobody_in_the_batch(boxes):
    head, x = build(), features(1)
    data = sample([])
    losses = head.loss(x, [proposals(boxes)], [data])
    assert float(losses['loss_parsing'].detach()) == 0
    sum(losses.values()).backward()
    for parameter in head.mask_head.parameters():
        assert parameter.grad is not None and not parameter.grad.any()


def test_data_without_maps_are_named():
    data = sample()
    del data.gt_sem_seg
    with pytest.raises(ValueError, match='a.jpg comes without gt_sem_seg'):
        build().loss(features(1), [proposals(AROUND)], [data])


def test_sizes_of_features_must_agree():
    error = 'output_size is 8 and mask_head.roi_feat_size 16: set both'
    with pytest.raises(ValueError, match=error):
        build(**{'mask_head.roi_feat_size': 16})


@pytest.mark.parametrize('rescale', [True, False])
def test_predictions_lie_in_the_picture(rescale):
    head = build().eval()
    data = sample(scale=0.5)
    near = [[-20, -20, 30, 30], [40, 20, 90, 80], [5, 5, 25, 45]]
    with torch.no_grad():
        found, = head.predict(
            features(1), [proposals(near)], [data], rescale=rescale)
    height, width = (96, 128) if rescale else SIZE
    assert len(found.parsings) == len(found.bboxes) == len(found.scores) > 0
    for (x0, y0, crop), box in zip(found.parsings, found.bboxes.tolist()):
        assert crop.dtype == np.uint8 and crop.size
        assert 0 <= x0 and x0 + crop.shape[1] <= width
        assert 0 <= y0 and y0 + crop.shape[0] <= height
        # the box and the ring around its maps
        assert abs(x0 - max(box[0], 0)) <= 0.05 * (box[2] - box[0]) + 1
        assert abs(y0 + crop.shape[0] -
                   min(box[3], height)) <= 0.05 * (box[3] - box[1]) + 2
    best = found[found.scores > found.scores.median()]
    assert len(best.parsings) == len(best)


def test_number_of_boxes_at_a_time_is_no_matter():
    data, x = sample(), features(1)
    results = []
    for count in (1, 3, 100):
        head = build(test_rois=count).eval()
        with torch.no_grad():
            results.append(head.predict(x, [proposals(AROUND)], [data])[0])
    for other in results[1:]:
        assert len(other.parsings) == len(results[0].parsings) > 3
        for (a, b, crop), (c, d, same) in zip(results[0].parsings,
                                              other.parsings):
            assert (a, b) == (c, d) and (crop != same).mean() < 1e-3


def test_nobody_found():
    head = build(**{'test_cfg.score_thr': 1.1}).eval()
    data = [sample(), sample()]
    with torch.no_grad():
        some = head.predict(
            features(), [proposals(AROUND)] * 2, data, rescale=True)
        none = head.predict(
            features(), [proposals([])] * 2, data, rescale=True)
    for found in (*some, *none):
        assert found.parsings == [] and found.bboxes.shape == (0, 4)
