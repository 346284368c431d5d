import logging
import os.path as osp
import random
from typing import List, Optional

from mmdet.datasets import CrowdHumanDataset
from mmdet.registry import DATASETS
from mmengine.dist import barrier, get_rank
from mmengine.logging import print_log

from .image_sizes import (LAYOUT, Sizes, image_path, measure_images,
                          read_sizes, write_sizes)
from .odgt import BOXES, is_ignored, read_odgt, size_file_of

SAMPLE = 100  # pictures whose presence is checked at the start


@DATASETS.register_module()
class CrowdHumanPersonDataset(CrowdHumanDataset):
    """CrowdHuman's full-body boxes, with its mistakes named.

    mmdet's dataset in what it yields: ``bbox`` (the full box, which may leave
    the picture), ``fbox``, ``vbox``, ``hbox`` as x1, y1, x2, y2, and
    ``ignore_flag`` 1 with label -1 for regions that are no person or marked
    to be ignored. Besides,

    - the file of image sizes is made from headers, by one process, if it is
      not there (or by tools/dataset_converters/crowdhuman_image_sizes.py);
    - persons without area are ignored in training;
    - ``filter_cfg=dict(filter_empty_gt=True)`` is honoured: no picture
      without a person in training;
    - ``metainfo['ann_file']`` tells the metric what to compare with.

    Args:
        data_root (str): Folder of the data set.
        ann_file (str): .odgt file in it.
        id_hw_file (str, optional): File of sizes, in ``data_root`` or an
            absolute path. Defaults to None: ``id_hw_train.json`` or
            ``id_hw_val.json`` beside ``ann_file``.
        **kwargs: Arguments of ``mmdet.CrowdHumanDataset``.

    Raises:
        FileNotFoundError: If the annotations, or one of the first and 100
            random pictures, are missing.
        ValueError: If the annotations are malformed, see ``read_odgt``.
        KeyError: If the file of sizes lacks a picture.
    """

    def __init__(self,
                 data_root: str,
                 ann_file: str,
                 id_hw_file: Optional[str] = None,
                 **kwargs) -> None:
        if id_hw_file:
            id_hw_file = osp.join(data_root, id_hw_file)
        self.id_hw_file = size_file_of(
            osp.join(data_root, ann_file), id_hw_file)
        # not the parent's, which reads the sizes and decodes every picture
        super(CrowdHumanDataset, self).__init__(
            data_root=data_root, ann_file=ann_file, **kwargs)
        self._metainfo['ann_file'] = self.ann_file

    def load_data_list(self) -> List[dict]:
        """Parse the annotations; counts of what is odd go to the log."""
        records = read_odgt(self.ann_file)
        self._check_sample(records)
        sizes = self._load_sizes([record['ID'] for record in records])
        samples = [self._parse(r, sizes[r['ID']]) for r in records]
        flat = sum(sample.pop('num_flat') for sample in samples)
        if flat and not self.test_mode:
            print_log(
                f'{self.ann_file}: {flat} persons have no area and are '
                'ignored', 'current', logging.WARNING)
        return samples

    def _check_sample(self, records: List[dict]) -> None:
        drawn = random.Random(0).sample(records, min(SAMPLE, len(records)))
        for record in records[:1] + drawn:
            path = image_path(self.data_prefix['img'], record['ID'])
            if not osp.isfile(path):
                raise FileNotFoundError(
                    f'{path} (line {record["line"]} of {self.ann_file}) does '
                    f'not exist: {LAYOUT}')

    def _load_sizes(self, ids: List[str]) -> Sizes:
        exists = osp.isfile(self.id_hw_file)
        barrier()  # nobody looks after the first process has written
        if not exists and get_rank() == 0:
            print_log(f'Measure {len(ids)} pictures for {self.id_hw_file}',
                      'current')
            sizes = measure_images(ids, self.data_prefix['img'])
            try:
                write_sizes(sizes, self.id_hw_file)
            except OSError as error:  # a read-only folder
                print_log(f'Cannot keep {self.id_hw_file}: {error}', 'current',
                          logging.WARNING)
        else:
            sizes = None
        barrier()
        if osp.isfile(self.id_hw_file):
            return read_sizes(self.id_hw_file, ids)
        return sizes or measure_images(ids, self.data_prefix['img'])

    def _parse(self, record: dict, size: tuple) -> dict:
        instances, flat = [], 0
        for box in record['gtboxes']:
            corners = {
                key: [x, y, x + w, y + h]
                for key, (x, y, w, h) in ((k, box[k]) for k in BOXES)
            }
            ignored = is_ignored(box)
            if not ignored and min(box['fbox'][2:]) <= 0:
                flat += 1
                ignored = not self.test_mode
            instances.append(
                dict(
                    corners,
                    bbox=corners['fbox'],
                    bbox_label=-1 if ignored else 0,
                    ignore_flag=int(ignored)))
        return dict(
            img_id=record['ID'],
            img_path=image_path(self.data_prefix['img'], record['ID']),
            height=size[0],
            width=size[1],
            instances=instances,
            num_flat=flat)

    def filter_data(self) -> List[dict]:
        """Leave out pictures without a person, in training, if asked to."""
        wanted = (self.filter_cfg or {}).get('filter_empty_gt', False)
        if self.test_mode or not wanted:
            return self.data_list
        kept = [
            sample for sample in self.data_list
            if any(not box['ignore_flag'] for box in sample['instances'])
        ]
        dropped = len(self.data_list) - len(kept)
        if dropped:
            print_log(
                f'{self.ann_file}: {dropped} of {len(self.data_list)} '
                'pictures show no person and are left out', 'current')
        return kept
