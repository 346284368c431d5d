"""Choose n images of a source, the same ones everywhere.

LUP1M is "1 million person images randomly selected from LUPerson"; neither
list nor seed was published. Here an image's rank is a hash of its name, so
a selection depends on names and seed alone: not on the operating system,
the order of a folder or a library's random generator. Selections of one
seed are nested (LUP1M in LUP2M in LUP4M), and when an image vanishes, the
next rank takes its place while all others stay.
"""
import hashlib
import json
import multiprocessing
import os.path as osp
import unicodedata
from functools import partial
from typing import Dict, Iterable, List, Optional, Tuple

from mmengine.utils import track_iter_progress

from ...version import __version__
from ...weights import write_file
from ..sources import ImageSource
from ..transforms import BrokenImageError, decode_image
from .output import check_writable

# Table 5 of the paper.
LUP_SIZES = dict(lup1m=1_284_228, lup2m=2_568_456, lup4m=4_180_243)
MIN_SIDE = 32  # pixels
ASPECTS = (0.2, 1.0)  # width / height, both ends kept


def canonical_key(path: str) -> str:
    """Name an image the same way on every platform.

    Args:
        path (str): Path relative to the source, or an LMDB key.

    Returns:
        str: With ``/``, without a leading ``./``, composed (NFC).

    Example:
        >>> canonical_key('.\\\\street\\\\1.jpg')
        'street/1.jpg'
    """
    if not path.isascii():
        path = unicodedata.normalize('NFC', path)
    path = path.replace('\\', '/')
    while path.startswith('./'):
        path = path[2:]
    return path


def rank(key: str, seed: int = 0) -> bytes:
    """Position of a key in the random order: blake2b, 8 bytes."""
    text = f'{seed}:{key}'.encode('utf-8', 'surrogateescape')
    return hashlib.blake2b(text, digest_size=8).digest()


def select_keys(keys: Iterable[str],
                num: Optional[int] = None,
                seed: int = 0,
                order: str = 'random') -> List[str]:
    """Choose keys.

    Args:
        keys (Iterable[str]): All keys; duplicates count once.
        num (int, optional): How many. None, or more than there are, takes
            all. Defaults to None.
        seed (int): Defaults to 0.
        order (str): 'random', or 'cfs' to take the first of a list that
            comes in order of TransReID-SSL's score. Defaults to 'random'.

    Returns:
        list[str]: Chosen keys, canonical and sorted (good locality on disk
        when shards are built from the list).

    Raises:
        ValueError: If ``order`` is unknown or ``num`` below 1.
    """
    if order not in ('random', 'cfs'):
        raise ValueError(f"order must be 'random' or 'cfs', got '{order}'")
    if num is not None and num < 1:
        raise ValueError(f'cannot select {num} images')
    unique = list(dict.fromkeys(map(canonical_key, keys)))
    if num is not None and num < len(unique):
        if order == 'random':
            unique.sort(key=lambda key: (rank(key, seed), key))
        del unique[num:]
    return sorted(unique)


def screen_image(data: bytes) -> Optional[str]:
    """Say what speaks against an image.

    Args:
        data (bytes): The file.

    Returns:
        str, optional: 'broken', 'small' (a side below 32 pixels), 'aspect'
        (width / height outside 0.2 to 1), or None.
    """
    try:
        height, width = decode_image(data).shape[:2]
    except BrokenImageError:
        return 'broken'
    if min(height, width) < MIN_SIDE:
        return 'small'
    if not ASPECTS[0] <= width / height <= ASPECTS[1]:
        return 'aspect'
    return None


def _screen_key(source: ImageSource, index: int) -> Tuple[int, Optional[str]]:
    try:
        return index, screen_image(source.read(source.keys[index]))
    except OSError:
        return index, 'broken'


def screen(source: ImageSource,
           workers: int = 0) -> Tuple[List[str], Dict[str, int]]:
    """Leave out unusable images of a source, before ranking.

    Args:
        source (ImageSource): Where the images are.
        workers (int): Processes; 0 works in this one. Defaults to 0.

    Returns:
        tuple[list[str], dict[str, int]]: Keys kept, in the source's order,
        and how many were dropped for which reason.
    """
    work = partial(_screen_key, source)
    count = len(source.keys)
    kept, dropped = [], dict(broken=0, small=0, aspect=0)
    pool = multiprocessing.Pool(workers) if workers else None
    try:
        found = (
            pool.imap(work, range(count), chunksize=64) if pool else map(
                work, range(count)))
        for index, reason in track_iter_progress((found, count)):
            if reason is None:
                kept.append(source.keys[index])
            else:
                dropped[reason] += 1
    finally:
        if pool:
            pool.terminate()
    return kept, dropped


def write_image_list(path: str, keys: List[str], **facts) -> dict:
    """Write a list and, beside it, where it came from.

    Args:
        path (str): The ``.txt``: UTF-8, one key a line. ``<path>.json``
            gets the facts, the tool's version and the list's SHA-256.
        keys (list[str]): In the order to be written.
        **facts: Whatever else belongs in the side file.

    Returns:
        dict: What the side file holds.

    Raises:
        OSError: If it cannot be written; names the file.
        ValueError: If a key holds a line break.
    """
    bad = next((k for k in keys if '\n' in k or '\r' in k), None)
    if bad is not None:
        raise ValueError(f'{bad!r} holds a line break, which a list cannot '
                         'express; rename the file')
    text = ''.join(f'{key}\n' for key in keys)
    data = text.encode('utf-8', 'surrogateescape')
    facts = dict(
        facts,
        num=len(keys),
        tool=f'saip_mm {__version__}',
        sha256=hashlib.sha256(data).hexdigest())
    side = f'{json.dumps(facts, indent=2)}\n'.encode()
    path = osp.expanduser(path)
    write_file(path, data)
    write_file(path + '.json', side)
    return facts


def build_image_list(source: ImageSource,
                     path: str,
                     num: Optional[int] = None,
                     seed: int = 0,
                     order: str = 'random',
                     screened: bool = False,
                     workers: int = 0) -> dict:
    """Select images of a source and write their list.

    Args:
        source (ImageSource): Folder or LMDB.
        path (str): The list to write.
        num (int, optional): See :func:`select_keys`. Defaults to None.
        seed (int): Defaults to 0.
        order (str): 'random' or 'cfs'. Defaults to 'random'.
        screened (bool): Whether to decode all images first and leave out
            the unusable ones. Defaults to False.
        workers (int): Processes of the screening. Defaults to 0.

    Returns:
        dict: The side file: source, images seen, dropped, n, seed, order,
        version and SHA-256.

    Raises:
        OSError: If the list cannot be written; nothing is screened then.
        ValueError: If its name does not end in ``.txt``, which is how a
            list is told, or a setting is out of range.
    """
    if not path.lower().endswith('.txt'):
        raise ValueError(f"the list '{path}' must be named .txt: that is how "
                         'it is told when it is read')
    check_writable(path)
    keys, dropped = source.keys, None
    if screened:
        keys, dropped = screen(source, workers)
    chosen = select_keys(keys, num, seed, order)
    return write_image_list(
        path,
        chosen,
        source=osp.abspath(source.root),
        seen=len(source.keys),
        dropped=dropped,
        requested=num,
        seed=seed,
        order=order)
