"""Counts of CIHP, for tools/dataset_converters/check_data.py."""
import os.path as osp

from saip_mm.datasets.prepare.data_check import Counted, count_files
from .archive_check import FOLDERS, split_of
from .label_files import find_root
from .person_index import build_index, read_names
from .picture_scan import describe_odd


def count_cihp(root: str, read: bool = False) -> Counted:
    """Count CIHP's pictures, and what their maps hold.

    Args:
        root (str): Folder with ``Training`` and ``Validation``, or the one
            above the archive's own.
        read (bool): Whether to open every picture and map, and count persons
            and instances of parts; nothing is written. Defaults to False.

    Returns:
        Counted: For 'train' and 'val': 'pictures' of the ids listed that are
        there; with ``read`` 'persons' and 'part instances'.
    """
    counted = Counted()
    for name, folder in FOLDERS.items():
        id_file = osp.join(folder, f'{name}_id.txt')
        try:
            split = split_of(find_root(root, id_file), name)
            paths = [split.paths(key) for key in read_names(split.id_file)]
            for key in ('img_path', 'category_path', 'human_path'):
                there = count_files([path[key] for path in paths],
                                    f'files ({key}) of {split.id_file}',
                                    counted, read and key == 'img_path')
                if key == 'img_path':
                    counted.numbers[f'{name} pictures'] = there
            if not read:
                continue
            pictures, odd = build_index(split, progress=True)
        except (OSError, ValueError) as error:
            counted.problems.append(str(error))
            continue
        counted.numbers[f'{name} persons'] = sum(
            len(picture.persons) for picture in pictures)
        counted.numbers[f'{name} part instances'] = odd['instances']
        if describe_odd(odd):
            counted.notes.append(f'{name}: {describe_odd(odd)}')
    return counted
