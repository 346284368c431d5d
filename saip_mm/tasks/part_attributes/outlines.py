"""Outlines of annotations as masks."""
from typing import List, Union

import numpy as np
import pycocotools.mask as mask_utils

Outline = Union[List[List[float]], dict]
MIN_NUMBERS = 6  # of a polygon: three corners


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
