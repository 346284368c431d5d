"""Detectors in pieces find what the whole detector finds."""
import numpy as np
import pytest
import torch

pytest.importorskip('mmdet')

from mmdet.structures import DetDataSample  # noqa: E402

from saip_mm.apis.edge.networks import parts_of  # noqa: E402
from saip_mm.apis.edge.parts import example  # noqa: E402
from saip_mm.apis.edge.regions import cut  # noqa: E402
from .tiny import SIZES, tiny_model  # noqa: E402


def suppress(boxes, scores, threshold):
    """Indices kept, best first: the caller's part, in plain loops."""
    kept = []
    for index in np.argsort(-scores, kind='stable'):
        left = all(iou(boxes[index], boxes[k]) <= threshold for k in kept)
        kept += [index] * left
    return kept


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    areas = [(x[2] - x[0]) * (x[3] - x[1]) for x in (a, b)]
    return both / max(sum(areas) - both, 1e-9)


def chosen_rois(boxes, scores, levels, cfg):
    """As ``caller`` of the first file says."""
    found, start = [], 0
    for count in levels:
        order = np.argsort(-scores[start:start + count], kind='stable')
        order = start + order[:cfg.nms_pre]
        sides = boxes[order, 2:] - boxes[order, :2]
        order = order[(sides > max(cfg.min_bbox_size, 0)).all(1)]
        kept = suppress(boxes[order], scores[order], cfg.nms.iou_threshold)
        found += [order[k] for k in kept]
        start += count
    found = np.array(found)
    best = np.argsort(-scores[found], kind='stable')[:cfg.max_per_img]
    return boxes[found[best]]


def run(part, *inputs):
    with torch.no_grad():
        return part.network(*inputs)


@pytest.fixture
def detector(tmp_path):
    model = tiny_model('detection', tmp_path)
    # boxes stay in the picture: outside all features, so all scores, are one
    model.rpn_head.rpn_reg.weight.data *= 0.01
    model.roi_head.bbox_head.fc_reg.weight.data *= 0.01
    return model


def whole(model, images, size):
    sample = DetDataSample(
        metainfo=dict(
            img_shape=size,
            ori_shape=size,
            scale_factor=(1., 1.),
            batch_input_shape=size,
            pad_shape=size))
    with torch.no_grad():
        return model.predict(images, [sample], rescale=False)[0]


def clip(boxes, size, wanted):
    if not wanted:
        return boxes
    return boxes.clip(0, np.array([size[1], size[0]] * 2, np.float32))


@pytest.mark.parametrize('clips', [False, True])
@pytest.mark.parametrize('own', [SIZES['detection'], (64, 70)])
def test_in_pieces_as_in_one(detector, own, clips):
    """Of a picture that fills the input, or is filled up."""
    for head in (detector.rpn_head, detector.roi_head.bbox_head):
        head.bbox_coder.clip_border = clips
    size, images = SIZES['detection'], example(SIZES['detection'], 1)
    images[:, :, :, own[1]:] = 0
    wanted = whole(detector, images, own).pred_instances
    dense, second = parts_of(detector, size)
    boxes, scores, *maps = run(dense, images)
    test = detector.test_cfg
    rois = chosen_rois(
        clip(boxes[0].numpy(), own, clips), scores[0].numpy(),
        dense.notes['levels'], test.rpn)
    rois = torch.from_numpy(rois).float()
    rois = torch.cat([torch.zeros(len(rois), 1), rois], 1)
    scores, boxes = run(second, rois, *maps[:4])
    scores, boxes = scores[:, 0, 0].numpy(), clip(boxes[:, 0, 0].numpy(), own,
                                                  clips)
    likely = scores > test.rcnn.score_thr
    scores, boxes = scores[likely], boxes[likely]
    kept = suppress(boxes, scores, test.rcnn.nms.iou_threshold)
    kept = kept[:test.rcnn.max_per_img]
    assert len(kept) == len(wanted) > 0
    np.testing.assert_allclose(scores[kept], wanted.scores, atol=1e-5)
    ours, theirs = boxes[kept], wanted.bboxes.numpy()  # equal scores anyhow
    ours, theirs = (x[np.lexsort(x.round(2).T)] for x in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
    for part in (dense, second):
        assert ('clip them to the picture' in part.caller) == clips


def test_detectors_of_other_kinds_are_refused(detector):
    size, roi_head = SIZES['detection'], detector.roi_head
    roi_head.shared_head = torch.nn.Identity()
    with pytest.raises(ValueError, match='shared_head is not exported'):
        parts_of(detector, size)
    del roi_head.shared_head
    extractor = roi_head.bbox_roi_extractor
    roi_head.bbox_roi_extractor = torch.nn.Identity()
    with pytest.raises(ValueError, match='bbox_roi_extractor is a Identity'):
        parts_of(detector, size)
    roi_head.bbox_roi_extractor = extractor
    roi_head.bbox_head = torch.nn.ModuleList([roi_head.bbox_head])
    with pytest.raises(ValueError, match='refines boxes in several stages'):
        parts_of(detector, size)


def test_boxes_are_cut_out_as_mmdet_does(detector):
    size = SIZES['detection']
    maps = detector.extract_feat(example(size))[:4]
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(50, 2, generator=generator) * 40
    side = 10**(3 * torch.rand(50, 1, generator=generator)) * torch.tensor(
        [[1., 1.5]])
    rois = torch.cat([torch.arange(50)[:, None] % 2, corner, corner + side], 1)
    extractor = detector.roi_head.bbox_roi_extractor
    assert len(extractor.map_roi_levels(rois, 4).unique()) > 2
    torch.testing.assert_close(
        cut(extractor, maps, rois), extractor(maps, rois))


def test_crowddet_gives_two_refined_boxes(tmp_path):
    model = tiny_model('crowd', tmp_path)
    size = SIZES['crowd']
    dense, second = parts_of(model, size)
    _, _, *maps = run(dense, example(size, 1))
    rois = torch.tensor([[0, 4., 4., 30., 60.], [0, 10., 8., 90., 50.]])
    scores, boxes = run(second, rois, *maps[:4])
    found = model.roi_head._bbox_forward(maps, rois)
    wanted = model.roi_head.bbox_head._predict_by_feat_single(
        rois, found['cls_score_ref'], found['bbox_pred_ref'],
        dict(img_shape=size))
    torch.testing.assert_close(scores.flatten(0, 1), wanted.scores)
    torch.testing.assert_close(boxes.reshape(-1, 4), wanted.bboxes)


def test_parts_of_persons(tmp_path):
    model = tiny_model('parsing', tmp_path)
    size = SIZES['parsing']
    dense, _, third = parts_of(model, size)
    _, _, *maps = run(dense, example(size, 1))
    rois = torch.tensor([[0, 4., 4., 30., 60.], [0, 10., 8., 90., 50.]])
    assert third.suffix == 'parts' and third.outputs == ['parts']
    with torch.no_grad():
        wanted = model.roi_head._mask_forward(maps, rois)['mask_preds']
    torch.testing.assert_close(run(third, rois, maps[0]), wanted)


def test_attributes_of_garments(tmp_path):
    model = tiny_model('part_attributes', tmp_path)
    size = SIZES['part_attributes']
    parts = parts_of(model, size)
    assert [p.suffix for p in parts] == ['', 'boxes', 'masks', 'attributes']
    assert 'the last category is the human' in parts[1].caller
    _, _, *maps = run(parts[0], example(size, 1))
    boxes = torch.tensor([[4., 4., 30., 60.], [10., 8., 60., 50.]])
    human = torch.tensor([[0., 0., 64., 64.]])
    scores = torch.rand(2, 48).softmax(1)
    labels = torch.tensor([3, 7])
    with torch.no_grad():
        wanted = model.roi_head._ask(maps, [boxes], [human], scores,
                                     labels).sigmoid()

    def place(x):
        return torch.cat([torch.zeros(len(x), 1), x], 1)

    found = run(parts[3], place(boxes), scores, labels, torch.tensor([0, 0]),
                place(human), *maps[:4])
    torch.testing.assert_close(found, wanted)
    model.roi_head.attribute_head.knowledge.zero_()
    with pytest.raises(ValueError, match='knowledge matrix is all zero'):
        parts_of(model, size)
