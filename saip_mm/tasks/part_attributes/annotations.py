"""What mmdet's pipelines do with annotations, attributes carried along."""
from typing import List, Optional

import numpy as np
from mmdet.datasets.transforms import (FilterAnnotations, LoadAnnotations,
                                       PackDetInputs)
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import autocast_box_type

from saip_mm.datasets.fashion_taxonomy import ATTRIBUTES, CATEGORIES
from .outlines import union

HUMAN_LABEL = len(CATEGORIES)
MARGIN = 10  # pixels by which the human's box is wider than its garments'


def make_human(instances: List[dict], height: int, width: int) -> dict:
    """The person who wears all garments of a picture.

    Args:
        instances (list[dict]): At least one, with ``bbox`` x1, y1, x2, y2 and
            ``mask``.
        height, width (int): Of the picture.

    Returns:
        dict: An instance of the category human: its box is that around all
        others that are in the picture, 10 pixels wider on each side, cut to
        it; its mask the union of theirs; without attributes.

    Source:
        KE-RCNN's data set.

    Example:
        >>> make_human([dict(bbox=[4, 20, 30, 44], mask=[])], 50, 60)['bbox']
        [0, 10, 40, 50]
    """
    boxes = [instance['bbox'] for instance in instances]
    seen = [
        box for box in boxes if max(box[0], 0) < min(box[2], width)
        and max(box[1], 0) < min(box[3], height)
    ]
    corners = list(zip(*(seen or boxes)))
    return dict(
        bbox=[
            max(min(corners[0]) - MARGIN, 0),
            max(min(corners[1]) - MARGIN, 0),
            min(max(corners[2]) + MARGIN, width),
            min(max(corners[3]) + MARGIN, height)
        ],
        bbox_label=HUMAN_LABEL,
        ignore_flag=0,
        mask=union([instance['mask'] for instance in instances], height,
                   width),
        attributes=[])


@TRANSFORMS.register_module()
class LoadFashionAnnotations(LoadAnnotations):
    """mmdet's ``LoadAnnotations`` with attributes, and the human.

    Added besides the parent's keys: ``gt_attributes`` ``(N, 294)`` uint8, 1
    for attributes that an object has.

    Args:
        with_human (bool): Whether to append the person who wears everything,
            see :func:`make_human`, as the last object. Needed in training,
            wrong in tests. Defaults to True.
        **kwargs: Arguments of ``mmdet.LoadAnnotations``; boxes and masks are
            loaded unless they say otherwise.

    Raises:
        ValueError: If an object has no outline, or run lengths of another
            size than the picture; names annotation and picture.
    """

    def __init__(self, with_human: bool = True, **kwargs) -> None:
        super().__init__(**dict(with_bbox=True, with_mask=True) | kwargs)
        self.with_human = with_human

    def transform(self, results: dict) -> dict:
        height, width = results['ori_shape']
        instances = results.get('instances', [])  # none in inference
        for instance in instances:
            _check_outline(instance, results, height, width)
        if self.with_human and instances:
            instances = [*instances, make_human(instances, height, width)]
        results = super().transform(dict(results, instances=instances))
        flags = np.zeros((len(instances), len(ATTRIBUTES)), np.uint8)
        for row, instance in zip(flags, instances):
            row[instance['attributes']] = 1
        results['gt_attributes'] = flags
        return results


def _check_outline(instance: dict, results: dict, height: int,
                   width: int) -> None:
    where = (f'annotation {instance.get("annotation_id")} of '
             f'{results.get("img_path")}')
    mask = instance.get('mask')
    if not mask:
        raise ValueError(f"{where} has no 'segmentation', which masks need: "
                         'use instances_attributes_*.json')
    if isinstance(mask, dict) and list(mask['size']) != [height, width]:
        raise ValueError(
            f'{where}: its run lengths are of {mask["size"]} pixels, the '
            f'picture has {[height, width]} (height, width)')


@TRANSFORMS.register_module()
class FilterFashionAnnotations(FilterAnnotations):
    """Drops objects that are too small, never the human.

    Args:
        min_gt_bbox_wh (tuple[float, float]): Width and height in pixels;
            boxes below either are dropped. Defaults to (1, 1).
        **kwargs: Of ``mmdet.FilterAnnotations``: ``keep_empty``, whether to
            skip a picture of which nothing is left (the default). Masks are
            not looked at.
    """

    @autocast_box_type()
    def transform(self, results: dict) -> Optional[dict]:
        boxes = results['gt_bboxes']
        width, height = self.min_gt_bbox_wh
        kept = ((boxes.widths >= width) & (boxes.heights >= height)).numpy()
        kept |= results['gt_bboxes_labels'] == HUMAN_LABEL
        if not kept.any() and self.keep_empty:
            return None
        for key in ('gt_bboxes', 'gt_bboxes_labels', 'gt_masks',
                    'gt_ignore_flags', 'gt_attributes'):
            results[key] = results[key][kept]
        return results


@TRANSFORMS.register_module()
class PackFashionInputs(PackDetInputs):
    """mmdet's ``PackDetInputs`` with ``attributes`` of the instances.

    Raises:
        ValueError: If a transform before dropped objects and left their
            attributes.
    """

    mapping_table = dict(
        PackDetInputs.mapping_table, gt_attributes='attributes')

    def transform(self, results: dict) -> dict:
        if 'gt_attributes' in results and len(results['gt_bboxes']) != len(
                results['gt_attributes']):
            raise ValueError(
                f'{len(results["gt_bboxes"])} boxes, '
                f'{len(results["gt_attributes"])} attribute rows '
                f'({results.get("img_path")}): a transform dropped objects '
                'alone; use FilterFashionAnnotations')
        return super().transform(results)
