"""Counts of PA100K and PETA, for tools/dataset_converters/check_data.py."""
import os.path as osp
from typing import Sequence

import numpy as np

from saip_mm.datasets.attribute_names import PETA
from saip_mm.datasets.prepare.data_check import Counted, count_files
from .pa100k import FOLDERS, PARTS, find_folder, read_annotation
from .peta import PetaFile, read_peta
from .peta_split import (OWN_FILE, ZERO_SHOT, ZERO_SHOT_FILES, check_split,
                         name_split, read_split)

# positives of train and val together, in the file's order; HumanBench's
# constants, as annotation.mat itself was not at hand
PA100K_POSITIVES = (41440, 1211, 83194, 5595, 31740, 26516, 31744, 3919, 16198,
                    16650, 17346, 14409, 857, 52506, 37494, 4453, 13594, 9698,
                    3772, 425, 1520, 2917, 64054, 15610, 10336, 540)
# shares of positives in millionths, in the file's order; counted in a PETA.mat
PETA_SHARES = (497000, 328789, 102316, 61684, 196579, 199421, 860842, 853000,
               137474, 133947, 101579, 69158, 306053, 296211, 40158, 237526,
               548474, 295737, 83895, 749368, 275947, 26579, 76474, 20421,
               363263, 34737, 141842, 45474, 216105, 17158, 29053, 515105,
               84211, 455579, 11789)


def count_pa100k(root: str, read: bool = False) -> Counted:
    """Count PA100K's pictures and attributes.

    Args:
        root (str): Folder of ``annotation.mat`` and the pictures.
        read (bool): Whether to open every picture. Defaults to False.

    Returns:
        Counted: For 'train', 'val' and 'test' the 'pictures' that are listed
        and there; 'attributes'. A note compares the positives of each with
        those that others counted.
    """
    counted = Counted()
    try:
        names, parts = read_annotation(osp.join(root, 'annotation.mat'))
    except (OSError, ValueError) as error:
        counted.problems.append(str(error))
        return counted
    folder = osp.join(root, find_folder(root, FOLDERS))
    for part in PARTS:
        counted.numbers[f'{part} pictures'] = count_files(
            [osp.join(folder, name) for name in parts[part][0]],
            f'{part} pictures of annotation.mat', counted, read)
    counted.numbers['attributes'] = len(names)
    found = sum((parts[part][1] == 1).sum(0) for part in ('train', 'val'))
    counted.notes.append(
        _compare(names, found, PA100K_POSITIVES, 'positives to train and '
                 'validate'))
    return counted


def count_peta(root: str, read: bool = False) -> Counted:
    """Count PETA's pictures and persons, and name the splits beside them.

    Args:
        root (str): Folder of ``PETA.mat``, ``images`` and split files.
        read (bool): Whether to open every picture. Defaults to False.

    Returns:
        Counted: 'pictures', 'persons', 'attributes', 'random splits'; with a
        split file of PETA-zs also 'zs train pictures' and so on. Notes say
        which split each file is.
    """
    counted = Counted()
    try:
        file = read_peta(osp.join(root, 'PETA.mat'))
    except (OSError, ValueError) as error:
        counted.problems.append(str(error))
        return counted
    counted.numbers['pictures'] = count_files([
        osp.join(root, f'images/{number:05d}.png') for number in file.numbers
    ], 'pictures of PETA.mat', counted, read)
    counted.numbers['persons'] = len(np.unique(file.pids))
    counted.numbers['attributes'] = len(file.names)
    counted.numbers['random splits'] = len(file.random)
    _count_random(file, counted)
    names = [*ZERO_SHOT_FILES, OWN_FILE]
    there = [name for name in names if osp.isfile(osp.join(root, name))]
    for name in there:
        _count_split(osp.join(root, name), file, counted)
    if not set(there) & set(ZERO_SHOT_FILES):
        counted.notes.append(f'no {" or ".join(ZERO_SHOT_FILES)}: the split '
                             f'of {ZERO_SHOT} is missing')
    millionths = np.rint(1e6 * (file.labels[:, :len(PETA)] == 1).mean(0))
    counted.notes.append(
        _compare(file.names, millionths.astype(int), PETA_SHARES,
                 'millionths of pictures that have each attribute'))
    return counted


def _count_random(file: PetaFile, counted: Counted) -> None:
    for number, split in enumerate(file.random):
        try:
            check_split(split, file.pids, f'PETA.mat, random{number}', False)
        except ValueError as error:
            counted.problems.append(str(error))
            return
    name = name_split(file.random[0], file.pids) if file.random else 'none'
    counted.notes.append(f'random splits of PETA.mat: {name}')


def _count_split(path: str, file: PetaFile, counted: Counted) -> None:
    own = osp.basename(path) == OWN_FILE
    try:
        split = read_split(path)
        check_split(split, file.pids, path, zero_shot=True)
    except (OSError, ValueError) as error:
        counted.problems.append(str(error))
        return
    counted.notes.append(f'{osp.basename(path)}: '
                         f'{name_split(split, file.pids, file.random)}')
    for part in () if own else PARTS:
        counted.numbers[f'zs {part} pictures'] = len(split[part])


def _compare(names: Sequence[str], found: np.ndarray, known: Sequence[int],
             what: str) -> str:
    """A note of numbers beside those that others counted."""
    other = [(name, int(ours), theirs)
             for name, ours, theirs in zip(names, found, known)
             if ours != theirs]
    if not other:
        return f'{what}: all {len(known)} as others counted'
    name, ours, theirs = other[0]
    return (f'{what}: {len(other)} of {len(known)} are not as others counted, '
            f'first {name}, {ours:,} for {theirs:,}')
