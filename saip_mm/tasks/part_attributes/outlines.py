"""Outlines of annotations as masks."""
from typing import List, Union

import numpy as np
import pycocotools.mask as mask_utils

Outline = Union[List[List[float]], dict]
MIN_NUMBERS = 6  # of a polygon: three corners


def check_outline(outline: Outline, height: int, width: int) -> None:
    """Refuse what is no outline in a picture of this size.

    Run lengths of more pixels than the picture has would end the process in
    pycocotools, with no error that could be caught.

    Args:
        outline (list | dict): Polygons or run lengths.
        height, width (int): Of the picture.

    Raises:
        ValueError: If a polygon is no list of finite numbers, or run lengths
            are malformed, of another size, or of another number of pixels.
    """
    if isinstance(outline, dict):
        _check_runs(outline, height, width)
        return
    for piece in outline:
        try:
            corners = np.asarray(piece)
        except ValueError:  # lists of several lengths
            corners = np.zeros((0, 0))
        numbers = corners.ndim == 1 and (not corners.size
                                         or corners.dtype.kind in 'iuf')
        if not numbers or not np.isfinite(corners).all():
            raise ValueError(
                f'a polygon is {str(piece)[:60]}, expected finite numbers x1, '
                'y1, x2, y2, ...')


def _check_runs(outline: dict, height: int, width: int) -> None:
    size, counts = outline['size'], outline['counts']
    if not isinstance(size, list) or size != [height, width]:
        raise ValueError(f'its run lengths are of {size} pixels, the picture '
                         f'has {[height, width]} (height, width)')
    try:
        runs = counts if isinstance(counts, list) else unpack_runs(counts)
        good = all(
            isinstance(run, int) and not isinstance(run, bool) and run >= 0
            for run in runs)
        pixels = sum(runs) if good else None
    except (AttributeError, IndexError, TypeError):  # neither text nor whole
        pixels = None
    if pixels != height * width:
        raise ValueError(
            f'its run lengths, counts={str(counts)[:60]}, are of '
            f'{"no number of" if pixels is None else pixels} pixels, the '
            f'picture has {height * width}')


def unpack_runs(counts: Union[str, bytes]) -> List[int]:
    """Numbers of COCO's compressed run lengths.

    Args:
        counts (str | bytes): As pycocotools packs them: of each number, six
            bits a letter from '0' on, the lowest first, the sixth saying that
            more follow; from the fourth number on the difference from the one
            before the last.

    Raises:
        IndexError: If it is cut short.

    Example:
        >>> unpack_runs('a0353')
        [17, 3, 5, 6]
    """
    letters = [
        ord(letter) - 48 for letter in (
            counts.decode() if isinstance(counts, bytes) else counts)
    ]
    runs, place = [], 0
    while place < len(letters):
        number, bits, more = 0, 0, True
        while more:
            letter = letters[place]
            number |= (letter & 31) << bits
            more = letter & 32
            place, bits = place + 1, bits + 5
        if letter & 16:  # negative
            number -= 1 << bits
        runs.append(number + (runs[-2] if len(runs) > 2 else 0))
    return runs


def shows_nothing(outline: Outline) -> bool:
    """Whether there is no polygon of three corners, or no pixel in runs."""
    if isinstance(outline, dict):
        counts = outline['counts']
        runs = counts if isinstance(counts, list) else unpack_runs(counts)
        return not any(runs[1::2])
    return not valid_polygons(outline)


def valid_polygons(outline: List[List[float]]) -> List[List[float]]:
    """Polygons of at least three corners."""
    return [
        piece for piece in outline
        if len(piece) >= MIN_NUMBERS and len(piece) % 2 == 0
    ]


def run_length(outline: Outline, height: int, width: int) -> dict:
    """An annotation's outline in COCO's compressed run lengths.

    Args:
        outline (list | dict): Polygons, whose union is meant, or run lengths,
            compressed or not. Polygons of fewer than three corners are left
            out; without any the mask is empty.
        height, width (int): Of the picture.

    Returns:
        dict: ``size`` and ``counts`` (bytes).

    Raises:
        ValueError: If run lengths are of another size than the picture.

    Example:
        >>> run_length([[0, 0, 2, 0, 2, 1, 0, 1]], 2, 3)['size']
        [2, 3]
    """
    if isinstance(outline, dict):
        if list(outline['size']) != [height, width]:
            raise ValueError(
                f'run lengths are of {outline["size"]} pixels, the picture '
                f'has {[height, width]} (height, width)')
        if isinstance(outline['counts'], list):
            return mask_utils.frPyObjects(outline, height, width)
        return outline
    pieces = valid_polygons(outline)
    if not pieces:
        empty = np.zeros((height, width), np.uint8, order='F')
        return mask_utils.encode(empty)
    return mask_utils.merge(mask_utils.frPyObjects(pieces, height, width))


def union(outlines: List[Outline], height: int, width: int) -> Outline:
    """The outline of several together: polygons as long as all are."""
    if all(isinstance(outline, list) for outline in outlines):
        return [piece for outline in outlines for piece in outline]
    runs = [run_length(outline, height, width) for outline in outlines]
    merged = mask_utils.merge(runs)
    return dict(merged, counts=merged['counts'].decode())
