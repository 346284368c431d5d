"""Counts of sets with captions, for tools/dataset_converters/check_data.py."""
import os.path as osp
from functools import partial
from typing import List, Type

from ...datasets.prepare.data_check import Counted, count_files
from .caption_file import SPLITS, CaptionRecord, read_captions
from .dataset import (CaptionedPersons, CUHKPEDESDataset, ICFGPEDESDataset,
                      RSTPReidDataset)
from .tokenizer import clean_caption


def count_captioned(kind: Type[CaptionedPersons],
                    root: str,
                    read: bool = False) -> Counted:
    """Count pictures, persons and captions of each split.

    Args:
        kind (type): Data set.
        root (str): Folder of ``imgs`` and the file of captions.
        read (bool): Whether to open every picture. Defaults to False.

    Returns:
        Counted: For each split that is there: 'pictures' that are there,
        'persons' and 'captions'.
    """
    counted = Counted()
    dataset = kind(root, lazy_init=True)
    try:
        path = dataset.find_file()
        records = read_captions(path)
        dataset.check_ids(records, path)
    except (OSError, ValueError) as error:
        counted.problems.append(str(error))
        return counted
    for split in SPLITS:
        mine = [record for record in records if record.split == split]
        if not mine:
            continue
        there = count_files(
            [osp.join(dataset.data_prefix['img_path'], r.path) for r in mine],
            f'{split} pictures of {path}', counted, read)
        counted.numbers[f'{split} pictures'] = there
        counted.numbers[f'{split} persons'] = len({r.pid for r in mine})
        counted.numbers[f'{split} captions'] = sum(
            len(r.captions) for r in mine)
        _tell_empty(mine, split, counted)
    return counted


def _tell_empty(records: List[CaptionRecord], split: str,
                counted: Counted) -> None:
    empty = [
        record.number for record in records
        if not all(map(clean_caption, record.captions))
    ]
    if empty:
        counted.problems.append(
            f'{len(empty)} {split} records have an empty caption, first '
            f'record {empty[0]}; in training skip_empty=True leaves them out')
    silent = sum(not record.captions for record in records)
    if silent:
        counted.notes.append(f'{silent} {split} pictures have no caption')


count_cuhk_pedes = partial(count_captioned, CUHKPEDESDataset)
count_icfg_pedes = partial(count_captioned, ICFGPEDESDataset)
count_rstpreid = partial(count_captioned, RSTPReidDataset)
