"""Counts of Fashionpedia, for tools/dataset_converters/check_data.py."""
import os.path as osp
from typing import Dict

from ...datasets.prepare.data_check import Counted, count_files
from .fashion_file import FashionFile, read_fashion

# folder of the pictures, and annotations; val and test share a folder
SPLITS = dict(
    train=('train', 'instances_attributes_train2020.json'),
    val=('test', 'instances_attributes_val2020.json'))


def count_fashionpedia(root: str, read: bool = False) -> Counted:
    """Count Fashionpedia's pictures, garments and attributes.

    Args:
        root (str): Folder with ``train``, ``test`` and the annotations.
        read (bool): Whether to open every picture, and compare its size with
            the annotated one. Defaults to False.

    Returns:
        Counted: For 'train' and 'val': 'pictures' that are annotated and
        there, 'garments', and those of them 'with attributes', 'categories'
        shown and 'attributes' named.
    """
    counted = Counted()
    for split, (folder, name) in SPLITS.items():
        try:
            file = read_fashion(osp.join(root, name))
        except (OSError, ValueError) as error:
            counted.problems.append(str(error))
            continue
        there = count_files(
            [osp.join(root, folder, one['file_name']) for one in file.images],
            f'pictures of {name}',
            counted,
            read,
            sizes=[(one['height'], one['width']) for one in file.images])
        counted.numbers[f'{split} pictures'] = there
        for what, number in _garments(file).items():
            counted.numbers[f'{split} {what}'] = number
        counted.notes += file.notes
    return counted


def _garments(file: FashionFile) -> Dict[str, int]:
    garments = file.annotations
    return {
        'garments':
        len(garments),
        'garments with attributes':
        sum(bool(one['attributes']) for one in garments),
        'categories':
        len({one['category_id']
             for one in garments}),
        'attributes':
        len({place
             for one in garments
             for place in one['attributes']}),
    }
