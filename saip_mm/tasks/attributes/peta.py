"""PETA: 19 000 pedestrians of ten older sets, 105 labels a person."""
import logging
import os.path as osp
from typing import List, NamedTuple, Optional, Tuple

import numpy as np
from mmengine.logging import print_log

from mmpretrain.registry import DATASETS
from saip_mm.datasets.attribute_names import PETA, PETA_LABELS, PETA_ORDER
from saip_mm.datasets.mat_file import cells, read_mat
from .dataset import AttributeDataset
from .label_table import LabelTable, check_names, check_values
from .pa100k import SPLITS
from .peta_split import (HINT, OWN_FILE, ZERO_SHOT, ZERO_SHOT_FILES,
                         ZERO_SHOT_SIZES, Split, check_split, find_split,
                         read_split)

FIELDS = ('data', 'attribute', 'selected_attribute', 'partion_attribute')
COLUMNS = 4  # of `data` before the labels: picture, person, source, number
LAYOUT = ('Expected: PETA.mat, images/00001.png ... and a split file, in '
          'data_root')


class PetaFile(NamedTuple):
    """What ``PETA.mat`` holds.

    Attributes:
        numbers (np.ndarray): ``(N, )`` int64 of the pictures, from 1.
        pids (np.ndarray): ``(N, )`` int64 of the persons.
        sources (np.ndarray): ``(N, )`` int64, 1 to 10: the older sets.
        names (tuple[str]): Of the 105 labels; the first 35 are evaluated.
        labels (np.ndarray): ``(N, 105)`` int8.
        random (list[dict]): Random splits, which share persons.
    """
    numbers: np.ndarray
    pids: np.ndarray
    sources: np.ndarray
    names: Tuple[str, ...]
    labels: np.ndarray
    random: List[Split]


def read_peta(path: str) -> PetaFile:
    """Read ``PETA.mat``, DeepMAR's packaging of PETA.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no MATLAB file of level 5, or has other fields
            or shapes.
    """
    peta = read_mat(path, ['peta'], LAYOUT)['peta']
    found = peta.dtype.names or ()
    if not set(FIELDS) <= set(found) or peta.size != 1:
        raise ValueError(f"{path}: 'peta' has the fields {list(found)}, "
                         f'expected {list(FIELDS)}')
    peta = peta.ravel()[0]
    data, path_of = np.asarray(peta['data']), f'{path}, peta.data'
    if data.ndim != 2 or data.shape[1] != COLUMNS + PETA_LABELS:
        raise ValueError(f'{path_of} has shape {data.shape}, expected '
                         f'(pictures, {COLUMNS + PETA_LABELS})')
    names = check_names(
        cells(peta['attribute'], path, 'peta.attribute'),
        f'{path}, peta.attribute,')
    if len(names) != PETA_LABELS:
        raise ValueError(f'{path} names {len(names)} attributes, expected '
                         f'{PETA_LABELS}')
    selected = np.asarray(peta['selected_attribute']).ravel().tolist()
    if selected != list(range(COLUMNS + 1, COLUMNS + 1 + len(PETA))):
        raise ValueError(
            f'{path}: selected_attribute is {selected[:3]}...'
            f'{selected[-1:]} ({len(selected)}), expected '
            f'{COLUMNS + 1} to {COLUMNS + len(PETA)}: the first {len(PETA)}')
    labels = check_values(data[:, COLUMNS:], names, path_of, two_is_zero=True)
    ids = data[:, :3].astype(np.int64)
    return PetaFile(ids[:, 0], ids[:, 1], ids[:, 2], names, labels,
                    _random_splits(peta['partion_attribute'], path))


def _random_splits(column, path: str) -> List[Split]:
    """1-based and of 16 bits in the file: not to be counted down there."""
    splits = []
    for cell in cells(column, path, 'peta.partion_attribute'):
        # a struct of one element may have lost its array
        one = cell.ravel()[0] if isinstance(cell, np.ndarray) else cell
        splits.append({
            part: np.asarray(one[part]).ravel().astype(np.int64) - 1
            for part in ('train', 'val', 'test')
        })
    return splits


@DATASETS.register_module()
class PETADataset(AttributeDataset):
    """Pictures of PETA, with the 35 attributes that are evaluated.

    Labels are of persons, and the random splits of ``PETA.mat`` have the same
    persons in training and in test; PETA-zs, whose split is a file of its
    own, has not.

    Args:
        data_root (str): Folder with ``PETA.mat``, ``images`` and the split.
        split (str): 'train', 'val', 'trainval' or 'test'. Defaults to
            'trainval', on which the field trains.
        partition (str): 'zs', 'own' (``peta_own_split.json``) or 'random0' to
            'random4'. Defaults to 'zs'.
        split_file (str, optional): Of 'zs' and 'own', in ``data_root``.
            Defaults to None: ``peta_zs_split.json`` or
            ``dataset_zs_run0.pkl``, which is not unpickled as others are.
        attributes (str): 'eval', the 35, or 'all' 105. Defaults to 'eval'.
        ann_file (str): Defaults to 'PETA.mat'.
        data_prefix (str | dict): Folder of the pictures. Defaults to
            'images'.
        reorder (bool): As in :class:`PA100KDataset`. Defaults to True.
        **kwargs: Of :class:`AttributeDataset`.

    Raises:
        FileNotFoundError: If something is missing.
        ValueError: If a name is unknown, the split is none, or shares
            persons that it must not; or as :func:`read_peta`.

    Source:
        Layout and order: valencebond/Rethinking_of_PAR @ 0baa462.
    """

    METAINFO = dict(dataset_name='PETA')
    LAYOUT = LAYOUT

    def __init__(self,
                 data_root: str,
                 split: str = 'trainval',
                 partition: str = 'zs',
                 split_file: Optional[str] = None,
                 attributes: str = 'eval',
                 ann_file: str = 'PETA.mat',
                 data_prefix='images',
                 reorder: bool = True,
                 **kwargs) -> None:
        known = ('zs', 'own', *(f'random{i}' for i in range(5)))
        for name, value, allowed in (('split', split, tuple(SPLITS)),
                                     ('partition', partition,
                                      known), ('attributes', attributes,
                                               ('eval', 'all'))):
            if value not in allowed:
                raise ValueError(f"{name} '{value}' is unknown: use one of "
                                 f'{", ".join(allowed)}')
        self.split, self.partition = split, partition
        self.split_file, self.attributes = split_file, attributes
        self.reorder = reorder
        super().__init__(data_root, ann_file, data_prefix, **kwargs)

    def read_table(self) -> LabelTable:
        """Read ``PETA.mat`` and the split."""
        file = read_peta(self.ann_file)
        split = self._read_split(file)
        folder = self.data_prefix['img_path']
        table = LabelTable(
            file.names,
            [osp.join(folder, f'{number:05d}.png')
             for number in file.numbers], file.labels, file.pids)
        rows = np.concatenate([split[part] for part in SPLITS[self.split]])
        order = PETA_ORDER if self.reorder else range(len(PETA))
        if self.attributes == 'all':
            order = [*order, *range(len(PETA), PETA_LABELS)]
        return table.rows(rows).select([file.names[i] for i in order],
                                       self.ann_file)

    def _read_split(self, file: PetaFile) -> Split:
        if self.partition.startswith('random'):
            number = int(self.partition[len('random'):])
            if number >= len(file.random):
                raise ValueError(f'{self.ann_file} has {len(file.random)} '
                                 f'random splits, no {self.partition}')
            split = file.random[number]
            check_split(split, file.pids, f'{self.ann_file}, random{number}',
                        False)
            return split
        names = ZERO_SHOT_FILES if self.partition == 'zs' else (OWN_FILE, )
        if self.split_file:
            names = (osp.expanduser(self.split_file), )
        path = find_split(self.data_root, names)
        if path is None:
            raise FileNotFoundError(
                f'{self.data_root} has no {" or ".join(names)}, the split '
                f"partition='{self.partition}'. {HINT}")
        split = read_split(path)
        check_split(split, file.pids, path, zero_shot=True)
        sizes = {part: len(rows) for part, rows in split.items()}
        if self.partition == 'zs' and sizes != ZERO_SHOT_SIZES:
            print_log(
                f'{path} has {sizes} pictures, {ZERO_SHOT} has '
                f'{ZERO_SHOT_SIZES}: scores are not to be compared', 'current',
                logging.WARNING)
        return split
