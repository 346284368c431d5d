"""Counts of LIP, for tools/dataset_converters/check_data.py."""
from typing import Dict, List

from mmengine.utils import track_iter_progress

from saip_mm.datasets.labelled_files import find_files, read_ids
from saip_mm.datasets.transforms.label_image import read_label
from ...datasets.prepare.data_check import Counted, count_files
from .label_set import IGNORED
from .lip import LIPPartsDataset


def count_lip(root: str, read: bool = False) -> Counted:
    """Count LIP's pictures and labels.

    Args:
        root (str): Folder of ``train_images``, ``train_segmentations``,
            ``train_id.txt`` and those of 'val', or of the unpacked archives.
        read (bool): Whether to open every picture and label. Defaults to
            False.

    Returns:
        Counted: For 'train' and 'val': 'pictures' and 'labels' of the ids
        listed that are there.
    """
    counted = Counted()
    for split in ('train', 'val'):
        try:
            dataset = LIPPartsDataset(
                root,
                f'{split}_id.txt',
                dict(
                    img_path=f'{split}_images',
                    seg_map_path=f'{split}_segmentations'),
                lazy_init=True)
            ids = [key for _, key in read_ids(dataset.ann_file)[0]]
            files = {
                kind: find_files(dataset.data_prefix[key], suffix).files
                for kind, key, suffix in (('pictures', 'img_path', '.jpg'),
                                          ('labels', 'seg_map_path', '.png'))
            }
        except (OSError, ValueError) as error:
            counted.problems.append(str(error))
            continue
        for kind, there in files.items():
            opened = read and kind == 'pictures'
            counted.numbers[f'{split} {kind}'] = _count_listed(
                ids, there, f'{kind} of {dataset.ann_file}', counted, opened)
        if read:
            labels = files['labels']
            _read_labels([labels[i] for i in ids if i in labels], counted)
    return counted


def _count_listed(ids: List[str], there: Dict[str, str], what: str,
                  counted: Counted, read: bool) -> int:
    missing = [key for key in ids if key not in there]
    if missing:
        counted.problems.append(f'{len(missing):,} of {len(ids):,} {what} '
                                f'are missing, first {missing[0]}')
    return count_files((there[key] for key in ids if key in there), what,
                       counted, read)


def _read_labels(paths: List[str], counted: Counted) -> None:
    """Refuse labels of other classes than LIP's; name the first."""
    classes = len(LIPPartsDataset.METAINFO['classes'])
    broken = []
    for path in track_iter_progress(paths):
        try:
            with open(path, 'rb') as file:
                label = read_label(file.read(), path)
        except ValueError as error:
            broken.append(str(error))
            continue
        largest = int(label[label != IGNORED].max(initial=0))
        if largest >= classes:
            broken.append(f'{path} holds class {largest}; LIP has 0 to '
                          f'{classes - 1}')
    if broken:
        counted.problems.append(f'{len(broken):,} of {len(paths):,} labels '
                                f'cannot be used, first: {broken[0]}')
