import os.path as osp
from typing import List, Optional

import numpy as np
from mmpose.datasets import CocoDataset, CocoWholeBodyDataset
from mmpose.registry import DATASETS

from .annotations import BODY, WHOLE_BODY, check_annotation

DETECTION_KEYS = ('bbox', 'category_id', 'image_id', 'score')
IMAGE_KEYS = ('id', 'file_name', 'height', 'width')


class CheckedPersonsMixin:
    """Errors with file and remedy where mmpose's have neither, or none.

    Args:
        bbox_file (str, optional): Detections of persons to test with, from
            ``data_root`` on like ``ann_file`` (mmpose's own data sets: from
            the current folder on). Defaults to None: the annotated boxes.
        **kwargs: Arguments of mmpose's data set.

    Raises:
        ValueError: If an annotation is not as ``check_annotation`` wants it,
            if the detections are of other pictures or lack a key, or if no
            person is left.
    """

    parts = BODY

    def __init__(self,
                 *args,
                 bbox_file: Optional[str] = None,
                 data_root: Optional[str] = None,
                 **kwargs) -> None:
        if bbox_file and data_root:
            bbox_file = osp.join(data_root, bbox_file)
        super().__init__(
            *args, bbox_file=bbox_file, data_root=data_root, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Read the persons; at least one."""
        persons = super().load_data_list()
        if persons:
            return persons
        if self.bbox_file:
            raise ValueError(f'no person boxes in {self.bbox_file}: it has no '
                             'entry of category_id 1')
        raise ValueError(
            f'no person in {self.ann_file}: all are crowds, without labelled '
            'joints or without a box')

    def parse_data_info(self, raw_data_info: dict) -> Optional[dict]:
        """Check a person's annotation, then read it."""
        check_annotation(raw_data_info['raw_ann_info'], self.parts,
                         self.ann_file)
        return super().parse_data_info(raw_data_info)

    def _load_detection_results(self) -> List[dict]:
        try:
            persons = super()._load_detection_results()
        except KeyError as error:
            key = error.args[0]
            if key in DETECTION_KEYS:
                raise ValueError(
                    f"a detection in {self.bbox_file} has no '{key}'; each "
                    f'needs {", ".join(DETECTION_KEYS)}') from error
            if key in IMAGE_KEYS:
                raise ValueError(
                    f"an image in {self.ann_file} has no '{key}'"
                    f'; each needs {", ".join(IMAGE_KEYS)}') from error
            raise ValueError(
                f'detection file {self.bbox_file} lists image {key}, which '
                f'{self.ann_file} does not have (are both of the same '
                'pictures, val2017 say?)') from error
        for person in persons:
            if not np.isfinite(person['bbox']).all():
                raise ValueError(
                    f'a detection in {self.bbox_file} of image '
                    f'{person["img_id"]} has a bbox that is not finite')
        return persons


@DATASETS.register_module()
class PersonKeypointsDataset(CheckedPersonsMixin, CocoDataset):
    """COCO's persons with 17 joints, :class:`mmpose.CocoDataset` with
    checks."""


@DATASETS.register_module()
class WholeBodyDataset(CheckedPersonsMixin, CocoWholeBodyDataset):
    """COCO-WholeBody's persons with 133 landmarks of body, feet, face and
    hands, :class:`mmpose.CocoWholeBodyDataset` with checks."""

    parts = WHOLE_BODY
