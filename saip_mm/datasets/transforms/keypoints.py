"""Keypoints of one person, in COCO's order, as its picture is cut."""
from typing import Sequence, Tuple

import numpy as np

COUNT = 17
# left and right change places in a mirror: eyes, ears, shoulders ... ankles
MIRRORED = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)


def known_points(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Which points are there: finite, of a score, inside the picture.

    Args:
        points (np.ndarray): ``(17, 3)``, x, y in pixels (whole numbers are
            pixels' centres) and score or visibility; 0 is unknown.
        height (int): Of the picture, in pixels.
        width (int): Likewise.

    Returns:
        np.ndarray: ``(17, )`` bool.
    """
    x, y, score = points.T
    with np.errstate(invalid='ignore'):  # a NaN is not inside
        return ((score > 0) & (x >= -.5) & (x < width - .5) & (y >= -.5) &
                (y < height - .5))


def crop_keypoints(points: np.ndarray, image: Tuple[int,
                                                    int], box: Sequence[int],
                   size: Tuple[int, int], flipped: bool) -> np.ndarray:
    """Follow a crop, its resizing and a horizontal flip.

    Args:
        points (np.ndarray): ``(17, 3)`` in the picture's pixels, see
            :func:`known_points`. No score that is not 0 is too small.
        image (tuple[int, int]): Height and width of the picture, in pixels.
        box (Sequence[int]): Top, left, height, width of the crop.
        size (tuple[int, int]): Height and width it is resized to.
        flipped (bool): Whether it is mirrored then; left and right change
            places.

    Returns:
        np.ndarray: ``(17, 3)`` float32: x and y in the view's pixels, and 1
        where the point is known and inside the view; else all three are 0.

    Example:
        >>> nose = np.zeros((17, 3))
        >>> nose[0] = 9.5, 19.5, 0.8  # 10 pixels from the left, 20 from above
        >>> crop_keypoints(nose, (40, 20), (10, 0, 20, 20), (40, 40),
        ...                False)[0]
        array([19.5, 19.5,  1. ], dtype=float32)
    """
    points = np.asarray(points, np.float64)
    known = known_points(points, *image)
    top, left, height, width = box
    out = np.zeros((COUNT, 3), np.float32)
    out[:, 0] = (points[:, 0] + .5 - left) * size[1] / width - .5
    out[:, 1] = (points[:, 1] + .5 - top) * size[0] / height - .5
    if flipped:
        out[:, 0] = size[1] - 1 - out[:, 0]
    out[:, 2] = 1
    out[:, 2] = known & known_points(out, *size)
    out[out[:, 2] == 0] = 0
    return out[list(MIRRORED)] if flipped else out
