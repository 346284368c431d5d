"""Counts of CrowdHuman, for tools/dataset_converters/check_data.py."""
import os.path as osp

from ...datasets.prepare.data_check import Counted, count_files
from .image_sizes import image_path
from .odgt import is_ignored, read_odgt


def count_crowdhuman(root: str, read: bool = False) -> Counted:
    """Count CrowdHuman's pictures and full-body boxes.

    Args:
        root (str): Folder of ``annotation_train.odgt``,
            ``annotation_val.odgt`` and ``Images``.
        read (bool): Whether to open every picture. Defaults to False.

    Returns:
        Counted: For 'train' and 'val': 'pictures' (that are there), of those
        listed, 'persons', and 'ignored regions' (masks, and boxes marked to
        be ignored).
    """
    counted = Counted()
    for split in ('train', 'val'):
        source = osp.join(root, f'annotation_{split}.odgt')
        try:
            records = read_odgt(source)
        except (OSError, ValueError) as error:
            counted.problems.append(str(error))
            continue
        paths = [
            image_path(osp.join(root, 'Images'), record['ID'])
            for record in records
        ]
        counted.numbers[f'{split} pictures'] = count_files(
            paths, f'pictures of {source}', counted, read)
        ignored = [
            is_ignored(box) for record in records for box in record['gtboxes']
        ]
        counted.numbers[f'{split} persons'] = ignored.count(False)
        counted.numbers[f'{split} ignored regions'] = ignored.count(True)
    return counted
