"""Counts of what pretraining and person search read."""
import os.path as osp
from typing import Dict, List

from mmengine.utils import track_iter_progress

from ..retrieval import MarketDataset, MSMT17Dataset
from ..retrieval.base import JUNK
from ..retrieval.msmt17 import read_list
from ..sources import ImageSource, build_source, lmdb_path
from .data_check import Counted, count_files
from .image_selection import screen_image

_REASONS = dict(
    broken='broken',
    small='below 32 pixels on a side',
    aspect='wider than high, or less than a fifth as wide')


def count_market1501(root: str, read: bool = False) -> Counted:
    """Count Market1501, or data laid out like it.

    Args:
        root (str): Folder of ``bounding_box_train`` and the others, or the
            one above the archive's.
        read (bool): Whether to open every picture. Defaults to False.

    Returns:
        Counted: For 'train', 'query' and 'gallery': ``pictures`` and
        ``identities`` without junk, 'gallery junk', and 'cameras'.
    """
    counted, cameras = Counted(), set()
    for split in ('train', 'query', 'gallery'):
        dataset = MarketDataset(root, split, lazy_init=True)
        try:
            found = dataset.load_data_list()
        except (OSError, ValueError) as error:
            counted.problems.append(str(error))
            continue
        kept = [info for info in found if info['pid'] != JUNK]
        count_files([info['img_path'] for info in found],
                    f'{split} pictures of {root}', counted, read)
        counted.numbers[f'{split} pictures'] = len(kept)
        counted.numbers[f'{split} identities'] = len(
            {info['pid']
             for info in kept})
        if split == 'gallery' or len(kept) < len(found):
            counted.numbers[f'{split} junk'] = len(found) - len(kept)
        cameras |= {info['camid'] for info in kept}
    if cameras:
        counted.numbers['cameras'] = len(cameras)
    return counted


def count_msmt17(root: str, read: bool = False) -> Counted:
    """Count MSMT17, or data laid out like it; a note says which version.

    Args:
        root (str): Folder of the lists, or the one above the archive's.
        read (bool): Whether to open every picture. Defaults to False.

    Returns:
        Counted: ``pictures`` of the four lists, ``identities`` of 'train',
        'query' and 'gallery', and 'cameras'.
    """
    counted, cameras, versions = Counted(), set(), {}
    for split in ('train', 'query', 'gallery'):
        dataset = MSMT17Dataset(root, split, check_files=False, lazy_init=True)
        try:
            folder, version = dataset.find_version()
            found = dataset.load_data_list()
        except (OSError, ValueError) as error:
            counted.problems.append(str(error))
            continue
        versions[version] = versions.get(version, ()) + (split, )
        for name in dataset.lists():
            part = name[len('list_'):-len('.txt')]
            counted.numbers[f'{part} pictures'] = len(
                read_list(osp.join(folder, name)))
        count_files([info['img_path'] for info in found],
                    f'{split} pictures of {root}', counted, read)
        counted.numbers[f'{split} identities'] = len(
            {info['pid']
             for info in found})
        cameras |= {info['camid'] for info in found}
    if cameras:
        counted.numbers['cameras'] = len(cameras)
    if len(versions) == 1:
        counted.notes.append(f'version {version[1:]}' +
                             (', with blurred faces' * (version == 'V2')))
    elif versions:
        counted.problems.append(f'{root} mixes the versions of MSMT17: ' +
                                ', '.join(f'{v} for {" and ".join(s)}'
                                          for v, s in versions.items()))
    return counted


def count_luperson(root: str, read: bool = False) -> Counted:
    """Count a folder tree or an LMDB of unlabelled persons.

    Args:
        root (str): See ``build_source``.
        read (bool): Whether to read every file; a broken one is no problem
            here, as training replaces it, and is only told. Defaults to
            False.

    Returns:
        Counted: 'pictures'.
    """
    counted = Counted()
    try:
        source = build_source(root)
    except (OSError, ValueError) as error:
        counted.problems.append(str(error))
        return counted
    counted.numbers['pictures'] = len(source.keys)
    kind = 'an LMDB' if lmdb_path(root) else 'a folder tree'
    counted.notes.append(f'{kind}; the first picture is {source.keys[0]}')
    if read:
        counted.notes += _unusable(source)
    source.close()
    return counted


def _unusable(source: ImageSource) -> List[str]:
    """A line for each reason why pictures would be left out."""
    found: Dict[str, List[str]] = {}
    for key in track_iter_progress((source.keys, len(source.keys))):
        try:
            reason = screen_image(source.read(key))
        except OSError:
            reason = 'broken'
        if reason:
            found.setdefault(reason, []).append(key)
    return [
        f'{len(keys):,} pictures are {_REASONS[reason]}, first {keys[0]}; '
        'build_image_list.py --screen leaves them out'
        for reason, keys in found.items()
    ]
