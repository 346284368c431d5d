from typing import Sequence

from mmdet.datasets.transforms import PackDetInputs
from mmdet.registry import TRANSFORMS

META_KEYS = ('img_id', 'img_path', 'category_path', 'human_path', 'ori_shape',
             'img_shape', 'scale_factor', 'flip', 'flip_direction')


@TRANSFORMS.register_module()
class PackParsingInputs(PackDetInputs):
    """``PackDetInputs`` that packs the persons' numbers, too.

    ``gt_human_ids`` becomes ``gt_instances.human_ids``, ``gt_seg_map``
    becomes ``gt_sem_seg.sem_seg`` as in mmdet.

    Args:
        meta_keys (Sequence[str]): Keys to keep beside.

    Raises:
        ValueError: If a transform before did not carry the map along, or
            dropped persons.
    """
    mapping_table = dict(PackDetInputs.mapping_table, gt_human_ids='human_ids')

    def __init__(self, meta_keys: Sequence[str] = META_KEYS) -> None:
        super().__init__(meta_keys=meta_keys)

    def transform(self, results: dict) -> dict:
        if 'gt_seg_map' in results:
            size = results['gt_seg_map'].shape[:2]
            image = results['img'].shape[:2]
            if size != image:
                raise ValueError(
                    f'gt_seg_map {size[0]}x{size[1]}, image '
                    f'{image[0]}x{image[1]} (height x width); use transforms '
                    'that resize gt_seg_map')
            persons, boxes = (
                len(results[k]) for k in ('gt_human_ids', 'gt_bboxes'))
            if persons != boxes:
                raise ValueError(
                    f'{boxes} boxes of {persons} persons are left of '
                    f'{results.get("img_path")}; use transforms that drop no '
                    'box')
        return super().transform(results)
