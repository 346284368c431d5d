"""What a box of a JSON file must be, and a picture that cannot be read."""
import math
from typing import Callable

import cv2


def is_number(value) -> bool:
    """Whether a value of a JSON file is a finite number; false is 0."""
    try:
        return isinstance(value, (int, float)) and math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def is_box(value) -> bool:
    """Whether a value of a JSON file is four finite numbers."""
    return (isinstance(value, list) and len(value) == 4
            and all(is_number(v) and not isinstance(v, bool) for v in value))


def has_area(box: list, height: int, width: int) -> bool:
    """Whether a box x1, y1, x2, y2 has an area, and some in its picture."""
    x1, y1, x2, y2 = box
    return (x1 < x2 and y1 < y2 and x1 < width and y1 < height and x2 > 0
            and y2 > 0)


def load_named(pipeline: Callable, info: dict) -> dict:
    """Run a pipeline; what OpenCV cannot decode is named, with the remedy.

    Raises:
        ValueError: If the picture is empty, cut short or none.
    """
    try:
        return pipeline(info)
    except (cv2.error, AssertionError) as error:
        if (isinstance(error, AssertionError)
                and not str(error).startswith('failed to load image')):
            raise
        raise ValueError(f'{info["img_path"]} is no picture, or cut short: '
                         'copy it anew') from error
