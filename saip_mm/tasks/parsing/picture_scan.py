"""The persons of a picture, measured in its two maps."""
import os.path as osp
from collections import Counter
from typing import List, NamedTuple, Tuple

import numpy as np
from mmengine.fileio import get

from saip_mm.datasets.transforms.picture_header import (BrokenImageError,
                                                        read_header)
from .label_files import LAYOUT, Split, check_size, read_maps
from .parts import NUM_PARTS


class Person(NamedTuple):
    """A person of a picture.

    Attributes:
        human_id (int): Number in the map of persons.
        bbox (list[int]): x, y, width, height of the smallest box around it.
        area (int): Pixels.
    """
    human_id: int
    bbox: List[int]
    area: int


class Picture(NamedTuple):
    """A picture and its persons, those without any part left out.

    Attributes:
        id (int): The file name's number.
        name (str): The file name without its extension.
        height, width (int): In pixels, of the labels.
        persons (list[Person]): By their numbers.
    """
    id: int
    name: str
    height: int
    width: int
    persons: List[Person]


def scan_picture(name: str,
                 split: Split,
                 num_parts: int = NUM_PARTS,
                 parts_of: str = 'CIHP') -> Tuple[Picture, Counter]:
    """Read the maps of a picture.

    Args:
        name (str): Its id.
        split (Split): Where it is.
        num_parts (int): See :func:`read_maps`.
        parts_of (str): See :func:`read_maps`.

    Returns:
        tuple[Picture, Counter]: The picture, and what was counted:
        ``instances`` of parts, ``partless`` persons, ``lonely_parts`` and
        ``lonely_humans``, pixels of a part without a person, and of a person
        without a part.

    Raises:
        FileNotFoundError: If one of its files is missing.
        ValueError: As :func:`read_maps`, and if the picture is none or
            differs from its maps in size.
    """
    paths = split.paths(name)
    parts, humans = read_maps(paths['category_path'], paths['human_path'],
                              num_parts, parts_of)
    _check_picture(paths['img_path'], parts.shape)
    joined = humans.astype(np.int64).ravel() * num_parts + parts.ravel()
    counts = np.bincount(joined, minlength=num_parts)
    counts = np.pad(counts, (0, -len(counts) % num_parts))
    counts = counts.reshape(-1, num_parts)  # (persons + 1, K)
    there = counts[:, 1:].any(1)
    persons = [
        _measure(human, humans == human)
        for human in np.flatnonzero(there[1:]) + 1
    ]
    found = Counter(
        instances=int((counts[1:, 1:] > 0).sum()),
        partless=int((counts[1:].any(1) & ~there[1:]).sum()),
        lonely_parts=int(counts[0, 1:].sum()),
        lonely_humans=int(counts[1:, 0].sum()))
    return Picture(int(name), name, *parts.shape, persons), found


def _check_picture(path: str, size: Tuple[int, int]) -> None:
    """Compare with the labels' size; EXIF may turn it to fit."""
    if '://' not in path and not osp.isfile(path):
        raise FileNotFoundError(f'there is no {path}. {LAYOUT}')
    try:
        header = read_header(get(path))
    except BrokenImageError as error:
        raise ValueError(f'{path} is no picture, or cut short: copy it anew '
                         f'({error})') from error
    if header.orientation < 5 or header.size[::-1] != tuple(size):
        check_size(path, 'image', header.size, 'Human_ids', size)


def _measure(human: int, mask: np.ndarray) -> Person:
    rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
    box = [
        columns[0], rows[0], columns[-1] - columns[0] + 1,
        rows[-1] - rows[0] + 1
    ]
    return Person(int(human), [int(v) for v in box], int(mask.sum()))


def describe_odd(found: Counter) -> str:
    """What does not go together in the two maps; '' if all does."""
    if not (found['lonely_parts'] or found['lonely_humans']):
        return ''
    return (f'{found["lonely_parts"]} pixels of a part show nobody and '
            f'{found["lonely_humans"]} of a person no part: they are '
            "background of every person; the former count in mIoU. "
            f'{found["partless"]} persons have no part at all and are left '
            'out')
