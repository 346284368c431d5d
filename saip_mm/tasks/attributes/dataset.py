import logging
import os.path as osp
from typing import Any, List, Optional, Sequence, Union

import numpy as np
from mmengine.logging import print_log

from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS
from .label_table import (LabelTable, check_names, label_ratio, missing_images,
                          one_sided, repeated_images)
from .list_file import read_list


@DATASETS.register_module()
class AttributeDataset(BaseDataset):
    """Pictures of persons and what each has: attributes of one's own.

    A sample has ``img_path`` and ``gt_score``, ``(M, )`` float32: 1, 0, or -1
    where nobody said; ``pid`` (int) where the set knows its persons.
    ``metainfo`` has ``classes``, the names in the order of ``gt_score``, and
    ``label_ratio``, the share of pictures that have each, over the whole
    list, whatever ``indices`` leaves. A picture that cannot be read stops the
    run: it is never replaced by another.

    Args:
        data_root (str): Folder of the set; ``~`` is one's home. Defaults to
            ''.
        ann_file (str): List in it, see :func:`read_list`. Defaults to
            'train.csv'.
        data_prefix (str | dict): Folder of the pictures, ``img_path``, in
            ``data_root``. Defaults to '', ``data_root`` itself.
        metainfo (dict, optional): ``classes``: attributes to take, in this
            order. Defaults to None: all of the list.
        pipeline (Sequence): Transforms. Defaults to none.
        **kwargs: Of mmpretrain's ``BaseDataset``.

    Raises:
        FileNotFoundError: If the list or a picture is missing.
        ValueError: If the list is none, lacks an attribute, or has values
            other than 0, 1 and -1.
    """

    METAINFO: dict = {}
    LAYOUT = ('ann_file lies in data_root; the pictures that it names in '
              'data_prefix.img_path, in data_root')

    def __init__(self,
                 data_root: str = '',
                 ann_file: str = 'train.csv',
                 data_prefix: Union[str, dict] = '',
                 metainfo: Optional[dict] = None,
                 pipeline: Sequence = (),
                 **kwargs) -> None:
        super().__init__(
            ann_file,
            metainfo=metainfo,
            data_root=osp.expanduser(data_root),
            data_prefix=data_prefix,
            pipeline=pipeline,
            **kwargs)

    def read_table(self) -> LabelTable:
        """Read the list; a set with files of its own overrides this."""
        return read_list(self.ann_file, self.data_prefix['img_path'])

    def load_data_list(self) -> List[dict]:
        """Read, select the attributes wanted, look for the pictures."""
        table = self.read_table()
        wanted = self._metainfo.get('classes')
        if wanted is not None:
            wanted = check_names(wanted, 'metainfo.classes')
            table = table.select(wanted, self.ann_file)
        if not table.images:
            raise ValueError(f'{self.ann_file} lists no pictures. '
                             f'{self.LAYOUT}')
        missing = missing_images(table.images)
        if missing:
            raise FileNotFoundError(
                f'{len(missing)} of {len(table.images)} pictures of '
                f'{self.ann_file} are missing, first {missing[0]}. '
                f'{self.LAYOUT}')
        if repeated_images(table):
            self._tell(f'{self.ann_file}: {repeated_images(table)}')
        ratio = label_ratio(table.labels)
        self._metainfo.update(
            classes=table.names, label_ratio=[float(r) for r in ratio])
        if not self.test_mode and one_sided(table.names, ratio):
            self._tell(f'{one_sided(table.names, ratio)}: nothing can be '
                       'learned of them')
        return self._samples(table)

    def prepare_data(self, idx: int) -> Any:
        """A sample, or an error: mmengine would draw another one."""
        info = self.get_data_info(idx)
        path = info['img_path']
        results = self.pipeline(info)
        if results is None:
            raise ValueError(
                f"the pipeline gave nothing for '{path}', and a labelled "
                'picture is never replaced: leave out what drops pictures, '
                'such as LoadImageFromFile(ignore_empty=True)')
        return results

    def get_cat_ids(self, idx: int) -> List[int]:
        """Numbers of the attributes that a picture has."""
        return np.flatnonzero(
            self.get_data_info(idx)['gt_score'] == 1).tolist()

    @staticmethod
    def _samples(table: LabelTable) -> List[dict]:
        scores = table.labels.astype(np.float32)
        samples = [
            dict(img_path=path, gt_score=score)
            for path, score in zip(table.images, scores)
        ]
        if table.pids is not None:
            for sample, pid in zip(samples, table.pids.tolist()):
                sample['pid'] = pid
        return samples

    def _tell(self, message: str) -> None:
        print_log(f'{type(self).__name__}: {message}', 'current',
                  logging.WARNING)
