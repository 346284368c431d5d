"""Which of PETA's pictures train, validate and test: read, made, told apart.

A split is a dict of 'train', 'val' and 'test': 0-based rows of ``PETA.mat``.
"""
import hashlib
import json
import os.path as osp
from itertools import combinations
from typing import Any, Dict, Optional, Sequence

import numpy as np

from saip_mm.datasets.array_pickle import read_array_pickle
from saip_mm.datasets.text_files import read_bytes, read_json
from saip_mm.weights import write_file

Split = Dict[str, np.ndarray]
PARTS = ('train', 'val', 'test')
ZERO_SHOT = 'PETA-zs'
# by the literature; the file itself could not be looked at
ZERO_SHOT_SIZES = dict(train=11241, val=3826, test=3933)
ZERO_SHOT_FILES = ('peta_zs_split.json', 'dataset_zs_run0.pkl')
OWN_FILE = 'peta_own_split.json'
HINT = ('dataset_zs_run0.pkl comes with github.com/valencebond/'
        'Rethinking_of_PAR and lies beside PETA.mat. Without it, tools/'
        'dataset_converters/peta_split.py DATA_ROOT --own makes a split that '
        "shares no person, for partition='own'; its scores are not PETA-zs's")


def read_split(path: str) -> Split:
    """Read a split of a JSON file, or of PETA-zs' pickle.

    Args:
        path (str): JSON with lists 'train', 'val' and 'test'; or a pickle
            with 'partition', of which nothing else is taken, see
            :func:`read_array_pickle`.

    Returns:
        dict: 'train', 'val', 'test': ``(n, )`` int64.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, or holds code.
    """
    if path.lower().endswith('.json'):
        content = read_json(path, HINT)
    else:
        read_bytes(path, HINT)  # for the hint
        content = read_array_pickle(path)
        content = content.get('partition') if isinstance(content,
                                                         dict) else None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is no split: it has no 'partition' of "
                         f'{", ".join(PARTS)}')
    return {part: _indices(content.get(part), path, part) for part in PARTS}


def _indices(values: Any, path: str, part: str) -> np.ndarray:
    if isinstance(values, range):
        values = list(values)
    array = np.asarray(values if values is not None else 'none')
    if array.dtype.kind not in 'iu' or array.ndim != 1 or not array.size:
        raise ValueError(f"{path}: '{part}' is no list of row numbers")
    return array.astype(np.int64)


def write_split(split: Split, path: str, name: str, **origin: Any) -> None:
    """Write a split as JSON.

    Args:
        split (dict): The split.
        path (str): ``.json`` file to write.
        name (str): What it is: :data:`ZERO_SHOT` or 'own split'.
        **origin: Whence it is: a file and its SHA-256, or seed and ratio.
    """
    content = dict(name=name, **origin)
    content.update({part: split[part].tolist() for part in PARTS})
    write_file(path, (json.dumps(content) + '\n').encode())


def convert_split(pickle: str, out: str, pids: np.ndarray) -> Split:
    """Turn PETA-zs' pickle into JSON, once it is seen to be that split.

    Args:
        pickle (str): ``dataset_zs_run0.pkl``.
        out (str): ``.json`` file to write.
        pids (np.ndarray): ``(N, )`` persons of the rows.

    Returns:
        dict: The split.

    Raises:
        FileNotFoundError, ValueError: As :func:`read_split` and
            :func:`check_split`.
    """
    split = read_split(pickle)
    check_split(split, pids, pickle, zero_shot=True)
    digest = hashlib.sha256(read_bytes(pickle)).hexdigest()
    write_split(
        split, out, ZERO_SHOT, source=osp.basename(pickle), sha256=digest)
    return split


def check_split(split: Split, pids: np.ndarray, source: str,
                zero_shot: bool) -> None:
    """Refuse a split whose parts share a picture, or a person.

    Args:
        split (dict): The split.
        pids (np.ndarray): ``(N, )`` persons of the rows.
        source (str): File, for the error.
        zero_shot (bool): Whether no person may be in two parts.

    Raises:
        ValueError: Names the first offender.
    """
    owner = {}
    for part in PARTS:
        for row in split[part].tolist():
            if not 0 <= row < len(pids):
                raise ValueError(f'{source}: row {row} of {part} is outside '
                                 f'0..{len(pids) - 1}, counted from 0')
            if row in owner:
                raise ValueError(f'{source}: row {row} is in {owner[row]} '
                                 f'and in {part}')
            owner[row] = part
    if not zero_shot:
        return
    shared = shared_persons(split, pids)
    if shared:
        (one, other), persons = next(iter(shared.items()))
        total = len(set().union(*shared.values()))
        raise ValueError(
            f'{source}: not a zero-shot split: person {min(persons)} is in '
            f'{one} and {other} (and {total - 1} others)')


def shared_persons(split: Split, pids: np.ndarray) -> Dict[tuple, set]:
    """Persons in two parts of a split, by the pair; pairs without any are
    left out."""
    persons = {part: set(pids[split[part]].tolist()) for part in PARTS}
    pairs = {
        (one, other): persons[one] & persons[other]
        for one, other in combinations(PARTS, 2)
    }
    return {pair: both for pair, both in pairs.items() if both}


def name_split(split: Split, pids: np.ndarray,
               random: Sequence[Split] = ()) -> str:
    """Say which of PETA's splits one is, by what is in it.

    Args:
        split (dict): The split.
        pids (np.ndarray): ``(N, )`` persons of the rows.
        random (Sequence[dict]): The splits of ``PETA.mat``.

    Returns:
        str: 'PETA-zs', by sizes and persons; 'random0' to 'random4';
        'zero-shot, other than PETA-zs'; or 'shares persons'.
    """
    for number, other in enumerate(random):
        if all(
                np.array_equal(np.sort(split[p]), np.sort(other[p]))
                for p in PARTS):
            return f'random{number}'
    if shared_persons(split, pids):
        return 'shares persons'
    if {part: len(split[part]) for part in PARTS} == ZERO_SHOT_SIZES:
        return ZERO_SHOT
    return f'zero-shot, other than {ZERO_SHOT}'


def make_own_split(pids: np.ndarray,
                   ratio: Sequence[float] = (3, 1, 1),
                   seed: int = 0) -> Split:
    """Share persons out among train, val and test.

    Args:
        pids (np.ndarray): ``(N, )`` persons of the rows.
        ratio (Sequence[float]): Of the numbers of persons. Defaults to
            (3, 1, 1), which comes near PETA-zs' sizes.
        seed (int): Of the draw. Defaults to 0.

    Returns:
        dict: The split; no part is empty.

    Raises:
        ValueError: If there are fewer persons than parts, or the ratio is
            none.

    Example:
        >>> split = make_own_split(np.array([4, 4, 7, 9]))
        >>> sorted(row for part in split.values() for row in part.tolist())
        [0, 1, 2, 3]
    """
    persons = np.unique(pids)
    if len(ratio) != len(PARTS) or min(ratio) <= 0:
        raise ValueError(f'ratio is {ratio}: give three numbers above 0, for '
                         f'{", ".join(PARTS)}')
    if len(persons) < len(PARTS):
        raise ValueError(f'{len(persons)} persons cannot be shared out among '
                         f'{", ".join(PARTS)}')
    order = np.random.default_rng(seed).permutation(persons)
    ends = np.cumsum(ratio)[:2] / np.sum(ratio) * len(persons)
    first = int(np.clip(round(ends[0]), 1, len(persons) - 2))
    second = int(np.clip(round(ends[1]), first + 1, len(persons) - 1))
    groups = np.split(order, [first, second])
    return {
        part: np.flatnonzero(np.isin(pids, group))
        for part, group in zip(PARTS, groups)
    }


def find_split(root: str, names: Sequence[str]) -> Optional[str]:
    """The first file of these that is there."""
    paths = (osp.join(root, name) for name in names)
    return next((path for path in paths if osp.isfile(path)), None)
