"""PA100K: 100 000 pedestrians, 26 attributes."""
import logging
import os.path as osp
from typing import Dict, List, Tuple

import numpy as np
from mmengine.logging import print_log

from mmpretrain.registry import DATASETS
from saip_mm.datasets.attribute_names import PA100K, PA100K_ORDER
from saip_mm.datasets.mat_file import cells, read_mat
from .dataset import AttributeDataset
from .label_table import LabelTable, check_names, check_values

PARTS = ('train', 'val', 'test')
SPLITS: Dict[str, Tuple[str, ...]] = dict(
    train=('train', ), val=('val', ), trainval=('train', 'val'),
    test=('test', ))  # yapf: disable
FOLDERS = ('data', 'release_data/release_data', 'release_data')
LAYOUT = ('Expected: annotation.mat, and the pictures in data/ (or '
          'release_data/release_data/), both in data_root')


def read_annotation(path: str) -> Tuple[Tuple[str, ...], dict]:
    """Read PA100K's annotations.

    Args:
        path (str): ``annotation.mat``.

    Returns:
        tuple[str]: Names of the 26 attributes, in the file's order.
        dict: By 'train', 'val' and 'test': names of pictures (list of str)
        and labels ``(n, 26)`` int8.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no MATLAB file of level 5, lacks a variable, or
            these do not agree.
    """
    keys = [
        key.format(part) for part in PARTS
        for key in ('{}_images_name', '{}_label')
    ]
    content = read_mat(path, ['attributes', *keys], LAYOUT)
    names = check_names(
        cells(content['attributes'], path, 'attributes'),
        f"{path}, 'attributes',")
    if len(names) != len(PA100K):
        raise ValueError(f'{path} has {len(names)} attributes, PA100K has '
                         f'{len(PA100K)}: is it of another set?')
    if names != PA100K:
        other = next(pair for pair in zip(names, PA100K) if pair[0] != pair[1])
        print_log(
            f'{path} names attributes other than expected: '
            f"'{other[0]}' for '{other[1]}'", 'current', logging.WARNING)
    parts = {}
    for part in PARTS:
        images = cells(content[f'{part}_images_name'], path,
                       f'{part}_images_name')
        labels = np.asarray(content[f'{part}_label'])
        wanted = (len(images), len(names))
        if labels.shape != wanted:
            raise ValueError(f'{path}: {part}_label has shape {labels.shape}, '
                             f'expected {wanted}')
        parts[part] = images, check_values(
            labels, names, f'{path}, {part}_label', two_is_zero=True)
    return names, parts


@DATASETS.register_module()
class PA100KDataset(AttributeDataset):
    """Pictures of PA100K.

    Args:
        data_root (str): Folder with ``annotation.mat`` and ``data``, or
            ``release_data/release_data`` as some archives have it.
        split (str): 'train' (80 000), 'val' (10 000), 'trainval' (the two)
            or 'test' (10 000). Defaults to 'trainval', on which the field
            trains.
        ann_file (str): Defaults to 'annotation.mat'.
        data_prefix (str | dict): Folder of the pictures. Defaults to '': the
            first of those above that is there.
        reorder (bool): Whether attributes are sorted by region of the body,
            as in "Rethinking of PAR", and not as in the file. Scores do not
            change. Defaults to True.
        **kwargs: Of :class:`AttributeDataset`.

    Raises:
        FileNotFoundError: If something is missing.
        ValueError: If the split is unknown, or as :func:`read_annotation`.

    Source:
        Layout and order: valencebond/Rethinking_of_PAR @ 0baa462, which
        keeps the same in a pickle.
    """

    METAINFO = dict(dataset_name='PA100K')
    LAYOUT = LAYOUT

    def __init__(self,
                 data_root: str,
                 split: str = 'trainval',
                 ann_file: str = 'annotation.mat',
                 data_prefix='',
                 reorder: bool = True,
                 **kwargs) -> None:
        if split not in SPLITS:
            raise ValueError(f"split '{split}' is unknown: use one of "
                             f'{", ".join(SPLITS)}')
        self.split, self.reorder = split, reorder
        root = osp.expanduser(data_root)
        if not data_prefix:
            data_prefix = find_folder(root, FOLDERS)
        super().__init__(root, ann_file, data_prefix, **kwargs)

    def read_table(self) -> LabelTable:
        """Read ``annotation.mat``."""
        names, parts = read_annotation(self.ann_file)
        images: List[str] = []
        for part in SPLITS[self.split]:
            images += parts[part][0]
        labels = np.concatenate(
            [parts[part][1] for part in SPLITS[self.split]])
        table = LabelTable(
            names,
            [osp.join(self.data_prefix['img_path'], name)
             for name in images], labels)
        if not self.reorder:
            return table
        return table.select([names[i] for i in PA100K_ORDER], self.ann_file)


def find_folder(root: str, folders: Tuple[str, ...]) -> str:
    """The first folder that is there; the first if none is."""
    there = (name for name in folders if osp.isdir(osp.join(root, name)))
    return next(there, folders[0])
