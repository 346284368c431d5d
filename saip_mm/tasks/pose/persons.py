import logging
import os.path as osp
from collections import defaultdict
from typing import Dict, List, Optional, Tuple

import numpy as np
from mmengine.logging import print_log
from mmpose.datasets import CocoDataset, CocoWholeBodyDataset
from mmpose.registry import DATASETS

from .annotations import WHOLE_BODY
from .coco_file import read_detections, read_images, read_persons
from .labels import complete_metainfo, unswapped_pairs


class CheckedPersonsMixin:
    """Reads what mmpose reads, with a name for what is wrong.

    Number, names, mirror images and sigmas of the keypoints are what
    ``metainfo`` says, COCO's by default. Each person also has ``height`` and
    ``width``, the size of the picture as its labels know it. What of a file
    is left out, or taken otherwise than it stands there, is said in one line
    of the log each; the metric takes it likewise.

    Args:
        ann_file (str): From ``data_root`` on.
        bbox_file (str, optional): Detections of persons to test with, from
            ``data_root`` on like ``ann_file`` (mmpose's own data sets: from
            the current folder on). Of a file with a category 'person' these
            are taken, else those of its categories. Defaults to None: the
            annotated boxes.
        data_root (str, optional): ``~`` is the home folder.
        metainfo (dict, optional): See :func:`complete_metainfo`.
        **kwargs: Arguments of mmpose's data set.

    Raises:
        AssertionError: If a file is missing.
        ValueError: If ``metainfo`` does not fit itself, or a file is not as
            :func:`read_persons` and :func:`read_detections` want it, or no
            person is left.
    """

    parts: Optional[Dict[str, int]] = None

    def __init__(self,
                 ann_file: str = '',
                 bbox_file: Optional[str] = None,
                 data_mode: str = 'topdown',
                 metainfo: Optional[dict] = None,
                 data_root: Optional[str] = None,
                 **kwargs) -> None:
        data_root = data_root and osp.expanduser(data_root)
        bbox_file = bbox_file and osp.expanduser(bbox_file)
        if bbox_file and data_root:
            bbox_file = osp.join(data_root, bbox_file)
        if 'data_prefix' in kwargs:
            kwargs['data_prefix'] = {
                key: prefix and osp.expanduser(prefix)
                for key, prefix in kwargs['data_prefix'].items()
            }
        super().__init__(
            ann_file=osp.expanduser(ann_file),
            bbox_file=bbox_file,
            data_mode=data_mode,
            metainfo=metainfo,
            data_root=data_root,
            **kwargs)

    @classmethod
    def _load_metainfo(cls, metainfo: Optional[dict] = None) -> dict:
        if metainfo:
            metainfo = complete_metainfo(metainfo)
        return super()._load_metainfo(metainfo)

    def load_data_list(self) -> List[dict]:
        """Read the persons; at least one."""
        joints = self._metainfo['num_keypoints']
        if self.parts is None:
            self.parts = dict(keypoints=joints)
        if joints != sum(self.parts.values()):
            raise ValueError(
                f'{type(self).__name__} reads {sum(self.parts.values())} '
                f'landmarks of body, feet, face and hands, metainfo has '
                f'{joints}: PersonKeypointsDataset reads any number')
        pairs = unswapped_pairs(self._metainfo)
        if pairs:
            self._tell(f'metainfo: {", ".join(pairs)} are not swapped in '
                       'mirrored pictures: neither is the swap of the other')
        persons = super().load_data_list()
        if persons:
            return persons
        if self.bbox_file:
            raise ValueError(
                f'no person boxes in {self.bbox_file}: it has no entry of '
                f'category_id {self._person_ids()} that lies in its picture')
        raise ValueError(
            f'no person in {self.ann_file}: all are crowds, without labelled '
            'joints or without a box')

    def parse_data_info(self, raw_data_info: dict) -> Optional[dict]:
        """Read a person's annotation, and the size of its picture."""
        person = super().parse_data_info(raw_data_info)
        image = raw_data_info['raw_img_info']
        return person and dict(
            person, height=image['height'], width=image['width'])

    def _load_annotations(self) -> Tuple[List[dict], List[dict]]:
        data, notes = read_persons(self.ann_file, self.parts)
        self._metainfo['CLASSES'] = data['categories']
        for key, note in notes.items():
            # the metric says so of a file under test; it alone needs areas
            if not self.test_mode and key != 'area':
                self._tell(f'{self.ann_file}: {note}')
        of_image = defaultdict(list)
        for annotation in data['annotations']:
            of_image[annotation['image_id']].append(annotation)
        persons, images = [], []
        for number, image in enumerate(data['images']):
            counted = number if isinstance(image['id'], str) else image['id']
            if counted % self.sample_interval:
                continue
            image.update(
                img_id=image['id'],
                img_path=osp.join(self.data_prefix['img'], image['file_name']))
            images.append(image)
            persons += filter(None, (self.parse_data_info(
                dict(raw_ann_info=annotation, raw_img_info=image))
                                     for annotation in of_image[image['id']]))
        return persons, images

    def _load_detection_results(self) -> List[dict]:
        data = read_images(self.ann_file)
        self._metainfo['CLASSES'] = data['categories']
        images = {image['id']: image for image in data['images']}
        found, notes = read_detections(self.bbox_file, images,
                                       set(self._person_ids()), self.ann_file)
        for note in notes.values():
            self._tell(f'{self.bbox_file}: {note}')
        joints = self._metainfo['num_keypoints']
        persons = []
        for number, one in enumerate(found):
            image = images[one['image_id']]
            x, y, w, h = one['bbox'][:4]
            persons.append(
                dict(
                    id=number,
                    img_id=image['id'],
                    img_path=osp.join(self.data_prefix['img'],
                                      image['file_name']),
                    img_shape=(image['height'], image['width']),
                    height=image['height'],
                    width=image['width'],
                    category_id=one['category_id'],
                    bbox=np.array([[x, y, x + w, y + h]], dtype=np.float32),
                    bbox_score=np.array([one['score']], dtype=np.float32),
                    # no landmarks, as in mmpose
                    keypoints=np.zeros((1, joints, 2), dtype=np.float32),
                    keypoints_visible=np.ones((1, joints), dtype=np.float32)))
        return persons

    def _person_ids(self) -> list:
        categories = self._metainfo['CLASSES']
        persons = [c['id'] for c in categories if c.get('name') == 'person']
        return persons or [category['id'] for category in categories]

    @staticmethod
    def _tell(message: str) -> None:
        print_log(message, logger='current', level=logging.WARNING)


@DATASETS.register_module()
class PersonKeypointsDataset(CheckedPersonsMixin, CocoDataset):
    """Persons with keypoints in COCO's format: its 17 joints, or one's own.

    :class:`mmpose.CocoDataset` with checks, for any ``metainfo``; see
    :class:`CheckedPersonsMixin`.
    """


@DATASETS.register_module()
class WholeBodyDataset(CheckedPersonsMixin, CocoWholeBodyDataset):
    """COCO-WholeBody's persons with 133 landmarks of body, feet, face and
    hands, :class:`mmpose.CocoWholeBodyDataset` with checks."""

    parts = WHOLE_BODY
