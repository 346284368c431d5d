"""Where a split of CIHP lies, and the two maps of one of its pictures."""
import os.path as osp
from typing import Dict, NamedTuple, Tuple

import numpy as np
from mmengine.fileio import get

from saip_mm.datasets.transforms.label_image import ChannelsError, read_label
from .parts import NUM_PARTS

ARCHIVE = 'instance-level_human_parsing'
LAYOUT = f'''CIHP lies like this; the folder may be called {ARCHIVE}, as in \
its archive, or hold it:
  Training/Images/<id>.jpg        Validation/Images/
  Training/Category_ids/<id>.png  Validation/Category_ids/
  Training/Human_ids/<id>.png     Validation/Human_ids/
  Training/train_id.txt           Validation/val_id.txt'''
# folders whose colour pictures are taken for the maps
COLOURED = dict(Category_ids='Categories', Human_ids='Human')


class Split(NamedTuple):
    """Paths of a split.

    Attributes:
        ann_file (str): The index: sizes, persons, boxes.
        id_file (str): Ids of the pictures, one a line.
        img, category, human (str): Folders of the pictures, of their maps
            of parts and of their maps of persons.
    """
    ann_file: str
    id_file: str
    img: str
    category: str
    human: str

    def paths(self, name: str) -> Dict[str, str]:
        """Files of the picture of an id."""
        return dict(
            img_path=osp.join(self.img, f'{name}.jpg'),
            category_path=osp.join(self.category, f'{name}.png'),
            human_path=osp.join(self.human, f'{name}.png'))


def find_root(data_root: str, id_file: str) -> str:
    """The folder of CIHP, which its archive calls otherwise.

    Args:
        data_root (str): Where the user says it is.
        id_file (str): List of ids in it.

    Returns:
        str: ``data_root``, or a folder with the archive's name in or beside
        it, once or twice nested.

    Raises:
        FileNotFoundError: If none of them holds the list.
    """
    beside = osp.dirname(osp.normpath(data_root))
    places = [data_root]
    for outer in (data_root, beside):
        places += [
            osp.join(outer, ARCHIVE),
            osp.join(outer, ARCHIVE, ARCHIVE),
        ]
    for place in places:
        if osp.isfile(osp.join(place, id_file)):
            return place
    raise FileNotFoundError(f'there is no {osp.join(data_root, id_file)}: set '
                            f'data_root. {LAYOUT}')


def read_maps(category_path: str,
              human_path: str,
              num_parts: int = NUM_PARTS,
              parts_of: str = 'CIHP') -> Tuple[np.ndarray, np.ndarray]:
    """Read what each pixel of a picture shows.

    Args:
        category_path (str): PNG of parts.
        human_path (str): PNG of persons.
        num_parts (int): K, with the background. Defaults to CIHP's 20.
        parts_of (str): What has K parts, for the error. Defaults to 'CIHP'.

    Returns:
        tuple[np.ndarray, np.ndarray]: ``(H, W)`` parts, 0 to K - 1, and
        persons, counted from 1, 0 nobody; of 8 bits or more.

    Raises:
        FileNotFoundError: If one of them is missing.
        ValueError: If one is no map of numbers, they differ in size, or
            there is a part that is none.
    """
    parts = _read(category_path, 'Category_ids')
    humans = _read(human_path, 'Human_ids')
    check_size(category_path, 'Category_ids', parts.shape, 'Human_ids',
               humans.shape)
    foreign = parts[(parts < 0) | (parts >= num_parts)]
    if foreign.size:
        raise ValueError(f'{category_path} holds class {int(foreign.max())}; '
                         f'{parts_of} has 0-{num_parts - 1}')
    return parts, humans


def _read(path: str, folder: str) -> np.ndarray:
    if '://' not in path and not osp.isfile(path):
        raise FileNotFoundError(f'there is no {path}. {LAYOUT}')
    try:
        return read_label(get(path), path)
    except ChannelsError as error:
        raise ValueError(f'{path} has {error.channels} channels; use {folder},'
                         f' not {COLOURED[folder]}') from error


def check_size(path: str, first: str, size: Tuple[int, int], second: str,
               other: Tuple[int, int]) -> None:
    """Refuse two files of one picture that differ in size.

    Args:
        path (str): File, whose name is the picture's id.
        first, second (str): What they are, for the error.
        size, other (tuple[int, int]): Height and width.

    Raises:
        ValueError: ``0000006: image 500x333, Human_ids 333x500 ...``.
    """
    if tuple(size) != tuple(other):
        name = osp.splitext(osp.basename(path))[0]
        raise ValueError(
            f'{name}: {first} {size[0]}x{size[1]}, {second} '
            f'{other[0]}x{other[1]} (height x width): are they of the same '
            'picture?')
