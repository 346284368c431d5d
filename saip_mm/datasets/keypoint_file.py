"""Keypoints of many pictures: one memory map, and the keys of its rows."""
import os
import os.path as osp
from contextlib import contextmanager
from hashlib import blake2b
from typing import Callable, Iterable, Iterator, Optional, Sequence, Tuple

import numpy as np

from ..weights import write_file
from ..weights.atomic import replacing
from .key_list import read_keys

SHAPE = (17, 3)  # COCO's joints: x, y, score
MAKE = ('tools/dataset_converters/keypoints.py makes one; without '
        'keypoints_file HAP masks blocks')
ABSENT = -1


def list_path(path: str) -> str:
    """The key list beside ``keypoints.npy``: ``keypoints.txt``."""
    return f'{osp.splitext(path)[0]}.txt'


class KeypointFile:
    """Keypoints by key, from a memory map that all workers share.

    Args:
        path (str): ``.npy`` of shape ``(N, 17, 3)``, float16 or float32: x
            and y in the picture's pixels as it is shown (EXIF's rotation
            applied), whole numbers being pixels' centres, and a score, 0 for
            a point that is not known. Beside it a list of the same name that
            ends in ``.txt``, the key of each row.
        keys (Sequence[str]): Keys of the pictures, which rows are found for.

    Raises:
        FileNotFoundError: If one of the two files is missing.
        ValueError: If they are none such, or name none of the pictures.
    """

    def __init__(self, path: str, keys: Sequence[str]) -> None:
        self.path = osp.expanduser(path)
        self.points = open_points(self.path)
        self.names = read_names(self.path, len(self.points))
        self.keys = keys
        self.rows = find_rows(keys, self.names)
        found = int((self.rows != ABSENT).sum())
        if not found:
            raise ValueError(
                f"'{self.path}' has keypoints of none of {len(keys)} pictures:"
                f" its keys are like '{self.names[0]}', theirs like "
                f"'{keys[0]}'. {MAKE}")
        self.missing = len(keys) - found

    def of(self, place: int) -> np.ndarray:
        """Keypoints ``(17, 3)`` float32 of the picture at a place among the
        keys; zeros where there are none."""
        row = self.rows[place]
        # hashes found it: the name decides
        if row == ABSENT or self.names[row] != self.keys[place]:
            return np.zeros(SHAPE, np.float32)
        return np.array(self.points[row], np.float32)


def open_points(path: str) -> np.ndarray:
    """Map ``(N, 17, 3)`` keypoints.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds something else, or is cut short.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f"keypoints '{path}' not found. {MAKE}")
    try:
        points = np.load(path, mmap_mode='r', allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(
            f"keypoints '{path}' cannot be read ({error}): the file is cut "
            f'short, pickled or no .npy. {MAKE}') from error
    shape = getattr(points, 'shape', None)
    if (shape is None or len(shape) != 3 or shape[1:] != SHAPE or not shape[0]
            or points.dtype.kind != 'f'):
        raise ValueError(
            f"keypoints '{path}' hold {shape} of "
            f'{getattr(points, "dtype", type(points).__name__)}, wanted is '
            f'(N, 17, 3) of float16 or float32: x, y, score. {MAKE}')
    return points


def read_names(path: str, count: int) -> Sequence[str]:
    """The keys of a keypoint file's rows.

    Raises:
        FileNotFoundError: If there is no list.
        ValueError: If it has not as many lines as there are rows.
    """
    names = list_path(path)
    if not osp.isfile(names):
        raise FileNotFoundError(
            f"'{names}' not found, which says whose keypoints the rows of "
            f"'{path}' are, a key a line: copy it along. {MAKE}")
    keys = read_keys(names)
    if len(keys) != count:
        raise ValueError(f"'{names}' has {len(keys)} keys, '{path}' "
                         f'{count} rows: they belong to different sets')
    return keys


def find_rows(keys: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """Row of each key.

    Args:
        keys (Sequence[str]): Of K pictures.
        names (Sequence[str]): Of the rows, in any order.

    Returns:
        np.ndarray: ``(K, )`` int64; -1 where there is none. Found by hashes
        of 64 bits, 8 bytes a key: :meth:`KeypointFile.of` compares names.

    Example:
        >>> find_rows(['b', 'x', 'a'], ['a', 'b'])
        array([ 1, -1,  0])
    """
    wanted, known = _hashes(keys), _hashes(names)
    order = np.argsort(known, kind='stable')
    at = np.searchsorted(known, wanted, sorter=order)
    rows = order[np.minimum(at, len(order) - 1)]
    return np.where(known[rows] == wanted, rows, ABSENT)


def _hashes(keys: Iterable[str]) -> np.ndarray:
    return np.fromiter((int.from_bytes(
        blake2b(k.encode('utf-8', 'surrogateescape'), digest_size=8).digest(),
        'little') for k in keys), np.uint64)


@contextmanager
def _rows_of(path: str, count: int, dtype: str) -> Iterator[Callable]:
    """Write a ``.npy`` row by row; it is there whole in the end or not."""
    head = dict(
        descr=np.dtype(dtype).str, fortran_order=False, shape=(count, *SHAPE))
    with replacing(path) as file:
        np.lib.format.write_array_header_1_0(file, head)
        yield lambda points: file.write(
            np.ascontiguousarray(points, dtype).tobytes())


def write_keypoints(path: str,
                    keys: Sequence[str],
                    points: Iterable[Optional[np.ndarray]],
                    dtype: str = 'float16') -> Tuple[int, int]:
    """Write keypoints and their keys, row by row.

    Args:
        path (str): ``.npy`` to write; the list goes beside it.
        keys (Sequence[str]): Of N pictures.
        points (Iterable): ``(17, 3)`` of each, in their order: x, y, score;
            None where there are none, which leaves zeros.
        dtype (str): 'float16', exact to half a pixel up to 1024 pixels and
            to one up to 2048, or 'float32'. Defaults to 'float16'.

    Returns:
        tuple[int, int]: Pictures, and those with a point of some score.

    Raises:
        ValueError: If the file's name does not end in .npy, points have
            another shape or do not fit the type, or are too few or too many.
        OSError: If it cannot be written.
    """
    if not path.endswith('.npy'):
        raise ValueError(f"keypoints '{path}' must be called something.npy")
    if dtype not in ('float16', 'float32'):
        raise ValueError(f"dtype '{dtype}' is unknown: use 'float16' or "
                         "'float32'")
    filled = count = 0
    with _rows_of(path, len(keys), dtype) as write:
        for count, row in enumerate(points, 1):
            if count > len(keys):
                break
            row = _checked(row, keys[count - 1], dtype)
            filled += bool((row[:, 2] > 0).any())
            write(row)
        if count != len(keys):
            raise ValueError(f'{len(keys)} keys, but keypoints of '
                             f'{"more" if count > len(keys) else count}')
        if osp.exists(list_path(path)):
            os.remove(list_path(path))  # never other names beside these rows
    # second: rows without names are refused
    write_file(
        list_path(path),
        ''.join(f'{key}\n' for key in keys).encode('utf-8', 'surrogateescape'))
    return len(keys), filled


def _checked(row: Optional[np.ndarray], key: str, dtype: str) -> np.ndarray:
    """Points of a shape, and none that is not finite."""
    if row is None:
        return np.zeros(SHAPE, np.float32)
    row = np.array(row, np.float64)
    if row.shape != SHAPE:
        raise ValueError(f"keypoints of '{key}' have shape {row.shape}, "
                         'wanted is (17, 3): x, y, score of COCO\'s joints')
    row[~np.isfinite(row).all(1)] = 0
    known = row[:, 2] > 0
    if (np.abs(row[known]) > np.finfo(dtype).max).any():
        raise ValueError(f"keypoints of '{key}' do not fit {dtype}: write "
                         "them as 'float32'")
    row[~known] = 0
    return row
