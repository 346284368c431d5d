"""Detectors as several ONNX files, with boxes suppressed between them.

The first file makes maps and proposals of pictures, the others look at boxes
in those maps: RoIAlign is inside, only the suppression of overlapping boxes,
whose number is nobody's to know, is the caller's.
"""
from typing import List, Sequence, Tuple

import torch
from torch import Tensor, nn
from torchvision.ops import roi_align

from .parts import IMAGES, Calls, Part, Size, example, is_a, stride_of

SOME = 5  # boxes of the example: another number than pictures


class DenseDetector(nn.Module):
    """Maps, and every anchor as a box with its score.

    Args:
        model (nn.Module): A two-stage detector of mmdet.
        size (tuple[int, int]): Of its pictures, in which boxes are clipped
            if the detector clips.
    """

    def __init__(self, model: nn.Module, size: Size) -> None:
        super().__init__()
        self.model, self.size = model, size
        with torch.no_grad():
            maps = model.extract_feat(example(size, 1))
            anchors = model.rpn_head.prior_generator.grid_priors(
                [x.shape[-2:] for x in maps], device=maps[0].device)
        self.levels = [len(x) for x in anchors]
        self.register_buffer('anchors', torch.cat(anchors))

    def forward(self, images: Tensor) -> Tuple[Tensor, ...]:
        """``(B, 3, H, W)`` -> boxes ``(B, A, 4)``, scores ``(B, A)``, maps"""
        head = self.model.rpn_head
        maps = self.model.extract_feat(images)
        scores, deltas = head(maps)
        scores = _by_anchor(scores, head.cls_out_channels)
        if head.use_sigmoid_cls:
            scores = scores.sigmoid()[..., 0]
        else:
            scores = scores.softmax(-1)[..., 0]  # the person comes first
        deltas = _by_anchor(deltas, 4)
        batch = deltas.shape[0]
        boxes = head.bbox_coder.decode(
            self.anchors.repeat(batch, 1),
            deltas.flatten(0, 1),
            max_shape=self.size)
        return (boxes.view(batch, -1, 4), scores, *maps)


def _by_anchor(maps: Sequence[Tensor], width: int) -> Tensor:
    """``(B, anchors * width, h, w)`` each -> ``(B, A, width)``"""
    return torch.cat(
        [x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, width) for x in maps],
        1)


def cut(extractor: nn.Module, maps: Sequence[Tensor], rois: Tensor) -> Tensor:
    """What mmdet's ``SingleRoIExtractor`` does, without asking which boxes.

    A box of another level is moved to a point there, which costs nothing and
    gives zeros; the sum over the levels is the level's own.

    Args:
        extractor (nn.Module): Its layers and its rule of levels.
        maps (Sequence[Tensor]): ``(B, C, ., .)``, one a level.
        rois (Tensor): ``(R, 5)`` picture and x1, y1, x2, y2.

    Returns:
        Tensor: ``(R, C, h, w)``.
    """
    layers = extractor.roi_layers
    levels = extractor.map_roi_levels(rois, len(layers))
    found = []
    for number, (layer, x) in enumerate(zip(layers, maps)):
        own = rois
        if len(layers) > 1:
            own = rois * (levels == number)[:, None].to(rois.dtype)
        found.append(
            roi_align(x, own, layer.output_size, layer.spatial_scale,
                      max(layer.sampling_ratio, 0), layer.aligned))
    return sum(found)


class Boxes(nn.Module):
    """Scores and boxes of proposals.

    Args:
        model (nn.Module): A two-stage detector of mmdet.
        size (tuple[int, int]): As in :class:`DenseDetector`.
    """

    def __init__(self, model: nn.Module, size: Size) -> None:
        super().__init__()
        self.model, self.size = model.roi_head, size

    def forward(self, rois: Tensor, *maps: Tensor) -> Tuple[Tensor, Tensor]:
        """``(R, 5)`` -> ``(R, K, C + 1)`` and ``(R, K, C, 4)``; K boxes of
        a proposal, 1 but in CrowdDet."""
        head = self.model.bbox_head
        # CrowdDet's refined answers are the last two
        scores, deltas = head(cut(self.model.bbox_roi_extractor, maps,
                                  rois))[-2:]
        instances = getattr(head, 'num_instance', 1)
        scores = scores.unflatten(1, (instances, -1)).softmax(-1)
        deltas = deltas.unflatten(1, (instances, -1)).flatten(0, 1)
        boxes = rois[:, None, 1:].expand(-1, instances, -1).flatten(0, 1)
        boxes = head.bbox_coder.decode(boxes, deltas, max_shape=self.size)
        return scores, boxes.reshape(-1, instances, deltas.shape[1] // 4, 4)


def _maps_in_boxes(roi_head: nn.Module, rois: Tensor, *maps: Tensor) -> Tensor:
    return roi_head.mask_head(cut(roi_head.mask_roi_extractor, maps, rois))


class Attributes(nn.Module):
    """Attributes of garments on their wearers, see ``KEHead``."""

    def __init__(self, roi_head: nn.Module) -> None:
        super().__init__()
        self.model = roi_head

    def forward(self, rois: Tensor, class_scores: Tensor, labels: Tensor,
                wearer: Tensor, humans: Tensor, *maps: Tensor) -> Tensor:
        """``(R, 5)`` ... -> ``(R, A)`` probabilities."""
        from saip_mm.tasks.part_attributes.ke_head import Garments
        head, own = self.model.attribute_head, self.model.bbox_roi_extractor
        garments = Garments(
            features=cut(own, maps[:len(own.roi_layers)], rois),
            humans=cut(self.model.mask_roi_extractor, maps, humans),
            wearer=wearer,
            boxes=rois[:, 1:],
            human_boxes=humans[:, 1:],
            scores=class_scores,
            labels=labels)
        # not its forward, which takes so many at a time
        weights = self.model.bbox_head.fc_cls.weight
        return head._ask(garments, weights).sigmoid()


def _example_rois(size: Size, count: int = SOME) -> Tensor:
    """Boxes from a twentieth of the picture to all of it, so that each level
    has some."""
    height, width = size
    share = torch.linspace(0.05, 1, count)
    corner = (1 - share) / 2
    rois = torch.stack([
        torch.arange(count) % 2, corner * width, corner * height,
        (corner + share) * width, (corner + share) * height
    ], 1)
    return rois.float()


def check_kind(model: nn.Module) -> None:
    """Refuse detectors that compute other things than is exported here.

    The comparison with torch would not notice: it is of the same pieces.

    Raises:
        ValueError: Names the piece.
    """
    roi_head = model.roi_head
    if isinstance(roi_head.bbox_head, nn.ModuleList):
        raise ValueError(f'{type(roi_head).__name__} refines boxes in several '
                         'stages, which is not exported')
    if getattr(roi_head, 'shared_head', None) is not None:
        raise ValueError('roi_head.shared_head is not exported: take a '
                         'detector whose box head has its own layers')
    for name in ('bbox_roi_extractor', 'mask_roi_extractor'):
        extractor = getattr(roi_head, name, None)
        if extractor is not None and not is_a(extractor, 'SingleRoIExtractor'):
            raise ValueError(f'{name} is a {type(extractor).__name__}: only '
                             'SingleRoIExtractor is exported')


def region_parts(model: nn.Module, size: Size) -> List[Part]:
    """Files of a two-stage detector.

    Raises:
        ValueError: If it is of a kind that is not exported, or its knowledge
            of attributes is missing.
    """
    check_kind(model)
    dense = DenseDetector(model, size)
    images = example(size)
    with torch.no_grad():
        maps = dense(images)[2:]
    given = {f'map_{n}': x for n, x in enumerate(maps, 1)}
    rois, roi_head = _example_rois(size), model.roi_head
    meaning = 'number of the picture in the batch, x1, y1, x2, y2 in pixels'
    parts = [
        _dense_part(model, size, dense, given),
        _box_part(model, size, given, meaning, rois)
    ]
    if roi_head.with_mask:
        parts.append(_mask_part(roi_head, given, meaning, rois))
    if hasattr(roi_head, 'attribute_head'):
        parts.append(_attribute_part(roi_head, given, meaning, rois))
    return parts


def _dense_part(model, size: Size, dense: DenseDetector, given: dict) -> Part:
    test, coder = model.test_cfg.rpn, model.rpn_head.bbox_coder
    return Part(
        '', dense, dict(images=example(size)),
        dict(
            images=IMAGES,
            proposals='x1, y1, x2, y2 of every anchor, in pixels of the input',
            objectness='score of each',
            **{
                name: f'map of stride {stride_of(size, x)}'
                for name, x in given.items()
            }),
        f'{_clipping("proposals", coder)}of each level (levels counts its '
        f'proposals, in order) keep the {test.nms_pre} best, leave out those '
        'without width or height '
        f'(up to {max(test.get("min_bbox_size", -1), 0)}), suppress what '
        f'overlaps a better one of its level by more than '
        f'{test.nms.iou_threshold}, keep the {test.max_per_img} best of all: '
        'the rois of the file .boxes.onnx',
        dict(levels=dense.levels, clipped=bool(coder.clip_border)))


def _box_part(model, size: Size, given: dict, meaning: str,
              rois: Tensor) -> Part:
    roi_head, test = model.roi_head, model.test_cfg.rcnn
    pairs = hasattr(roi_head.bbox_head, 'num_instance')
    coder = roi_head.bbox_head.bbox_coder
    caller = (f'{_clipping("boxes", coder)}leave out scores up to '
              f'{test.score_thr}, suppress what overlaps a better box '
              f'{"" if pairs else "of its category "}by more than '
              f'{test.nms.iou_threshold}'
              f'{" (but not the two of one roi)" if pairs else ""}, keep the '
              f'{test.max_per_img} best')
    scores = ('(n, 1, C + 1) of the categories and, last, of nothing')
    if pairs:
        scores = '(n, 2, 2) of nothing and, last, of a person'
    if hasattr(roi_head, 'attribute_head'):
        caller += ('; the last category is the human, of which the best wears '
                   'everything in the picture: asked for in .attributes.onnx, '
                   'left out of the results')
    used = len(roi_head.bbox_roi_extractor.roi_layers)
    return Part(
        'boxes', Boxes(model, size), dict(rois=rois, **_first(given, used)),
        dict(
            rois=meaning,
            scores=scores,
            boxes='(n, K, C, 4) x1, y1, x2, y2 in pixels of the input; K is '
            f'{roi_head.bbox_head.num_instance if pairs else 1}'), caller)


def _clipping(what: str, coder) -> str:
    """What is left to the caller, who alone knows where the picture ends."""
    if not coder.clip_border:
        return f'{what} may reach beyond the picture, as in training; '
    return (f'{what} are clipped to the input: clip them to the picture, '
            'where it does not fill it; ')


def _first(given: dict, count: int) -> dict:
    return dict(list(given.items())[:count])


def _mask_part(roi_head, given, meaning, rois) -> Part:
    used = len(roi_head.mask_roi_extractor.roi_layers)
    name = 'parts' if hasattr(roi_head.mask_head, 'num_parts') else 'masks'
    what = dict(
        parts='(n, K, s, s) logits of the parts in a box; background is 0',
        masks='(n, C, s, s) logits of each category in a box')[name]
    return Part(
        name, Calls(roi_head, _maps_in_boxes),
        dict(rois=rois, **_first(given, used)),
        dict(rois=f'found boxes: {meaning}', **{name: what}),
        'resize each to its box (bilinear, of the softmax or sigmoid), then '
        'argmax over the parts, or 0.5 of the own category')


def _attribute_part(roi_head, given, meaning, rois) -> Part:
    head = roi_head.attribute_head
    if not head.knowledge.any():
        raise ValueError(
            'knowledge matrix is all zero: give the checkpoint of a training '
            'or model.roi_head.attribute_head.knowledge=FILE')
    classes = roi_head.bbox_head.num_classes + 1
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(len(rois), classes, generator=generator).softmax(1)
    humans = _example_rois(tuple(int(side) for side in rois[-1, [4, 3]]), 3)
    used = max(
        len(roi_head.bbox_roi_extractor.roi_layers),
        len(roi_head.mask_roi_extractor.roi_layers))
    return Part(
        'attributes', Attributes(roi_head),
        dict(
            rois=rois,
            class_scores=scores,
            labels=torch.arange(len(rois)) % head.num_categories,
            wearer=torch.arange(len(rois)) % len(humans),
            humans=humans,
            **_first(given, used)),
        dict(
            rois=f'found garments: {meaning}',
            class_scores='(n, C + 1) scores of the roi each came from',
            labels='category of each',
            wearer='row of humans, who wears it',
            humans=f'found humans: {meaning}',
            attributes='(n, A) probabilities'),
        f'attributes above {roi_head.attribute_thr} are reported')
