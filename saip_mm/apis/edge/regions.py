"""Detectors as several ONNX files, with boxes suppressed between them.

The first file makes maps and proposals of pictures, the others look at boxes
in those maps: RoIAlign is inside, only the suppression of overlapping boxes,
whose number is nobody's to know, is the caller's.
"""
from typing import List, Sequence, Tuple

import torch
from torch import Tensor, nn
from torchvision.ops import roi_align

from .networks import IMAGES, Calls, Part, Size, example

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


def region_parts(model: nn.Module, size: Size) -> List[Part]:
    """Files of a two-stage detector.

    Raises:
        ValueError: If its knowledge of attributes is missing.
    """
    dense = DenseDetector(model, size)
    images = example(size)
    with torch.no_grad():
        maps = dense(images)[2:]
    names = [f'map_{n + 1}' for n in range(len(maps))]
    given = dict(zip(names, maps))
    test, coder = model.test_cfg, model.rpn_head.bbox_coder
    parts = [
        Part(
            '', dense, dict(images=images),
            dict(
                images=IMAGES,
                proposals='x1, y1, x2, y2 of every anchor, in pixels of the '
                'input',
                objectness='score of each',
                **{
                    name: f'map of stride {round(size[0] / x.shape[-2])}'
                    for name, x in given.items()
                }),
            'of each level (levels counts its proposals, in order) keep the '
            f'{test.rpn.nms_pre} best, suppress what overlaps a better one '
            f'of its level by more than {test.rpn.nms.iou_threshold}, keep '
            f'the {test.rpn.max_per_img} best of all: the rois of the file '
            '.boxes.onnx',
            dict(levels=dense.levels, clipped=bool(coder.clip_border)))
    ]
    rois = _example_rois(size)
    meaning = 'number of the picture in the batch, x1, y1, x2, y2 in pixels'
    roi_head, rcnn = model.roi_head, test.rcnn
    used = len(roi_head.bbox_roi_extractor.roi_layers)
    parts.append(
        Part(
            'boxes', Boxes(model, size),
            dict(rois=rois, **dict(list(given.items())[:used])),
            dict(
                rois=meaning,
                scores='(n, K, C + 1) of the categories and, last, of '
                'nothing; K boxes a roi, 1 but for CrowdDet'
                if not hasattr(roi_head.bbox_head, 'num_instance') else
                '(n, 2, 2) of nothing and, last, of a person',
                boxes='(n, K, C, 4) x1, y1, x2, y2 in pixels of the input'),
            f'leave out scores up to {rcnn.score_thr}, suppress what '
            f'overlaps a better box of its category by more than '
            f'{rcnn.nms.iou_threshold} (but, of CrowdDet, not the two of one '
            f'roi), keep the {rcnn.max_per_img} best'))
    if roi_head.with_mask:
        parts.append(_mask_part(roi_head, given, meaning, rois))
    if hasattr(roi_head, 'attribute_head'):
        parts.append(_attribute_part(roi_head, given, meaning, rois))
    return parts


def _mask_part(roi_head, given, meaning, rois) -> Part:
    used = len(roi_head.mask_roi_extractor.roi_layers)
    name = 'parts' if hasattr(roi_head.mask_head, 'num_parts') else 'masks'
    what = dict(
        parts='(n, K, s, s) logits of the parts in a box; background is 0',
        masks='(n, C, s, s) logits of each category in a box')[name]
    return Part(
        name, Calls(roi_head, _maps_in_boxes),
        dict(rois=rois, **dict(list(given.items())[:used])),
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
            **dict(list(given.items())[:used])),
        dict(
            rois=f'found garments: {meaning}',
            class_scores='(n, C + 1) scores of the roi each came from',
            labels='category of each',
            wearer='row of humans, who wears it',
            humans=f'found humans: {meaning}',
            attributes='(n, A) probabilities'),
        f'attributes above {roi_head.attribute_thr} are reported')
