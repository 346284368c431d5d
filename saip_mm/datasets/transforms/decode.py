"""Image bytes to pixels, as fast as one core allows."""
from typing import Optional, Tuple

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmpretrain.registry import TRANSFORMS

# The data loader is the parallelism: a thread pool in each worker only
# makes the workers fight for the same cores.
cv2.setNumThreads(0)

Size = Tuple[int, int]  # height, width in pixels

_JPEG_START, _JPEG_END, _JPEG_SCAN = b'\xff\xd8', b'\xff\xd9', b'\xff\xda'
_PNG_START, _PNG_END = b'\x89PNG', b'IEND'
# Frame headers: all 0xC0..0xCF but DHT (C4), JPG (C8) and DAC (CC).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_RGB = getattr(cv2, 'IMREAD_COLOR_RGB', None)  # since OpenCV 4.11
_REDUCED = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8
}


class BrokenImageError(ValueError):
    """An image that cannot be used: the data set replaces and counts it."""


def jpeg_size(data: bytes) -> Optional[Size]:
    """Read height and width from a JPEG's header, without decoding.

    Args:
        data (bytes): The file.

    Returns:
        tuple[int, int], optional: Height and width in pixels as stored (an
        EXIF rotation is not applied); None if no frame header was found.
    """
    at, end = 2, len(data) - 9
    while at < end and data[at] == 0xFF:
        if data[at + 1] in _JPEG_FRAMES:
            return (data[at + 5] << 8 | data[at + 6],
                    data[at + 7] << 8 | data[at + 8])
        at += 2 + (data[at + 2] << 8 | data[at + 3])
    return None


def is_truncated(data: bytes) -> bool:
    """OpenCV fills what is missing with grey and says nothing."""
    if data[:2] == _JPEG_START:
        return (data[-2:] != _JPEG_END
                and data.rfind(_JPEG_END) <= data.rfind(_JPEG_SCAN))
    if data[:4] == _PNG_START:
        return data.rfind(_PNG_END) < 0
    return False


def _reduction(data: bytes, min_size: Optional[Size]) -> int:
    if min_size is None or data[:2] != _JPEG_START:
        return 1
    height, width = jpeg_size(data) or (0, 0)
    for factor in (8, 4, 2):
        reduced = (height // factor, width // factor)
        if reduced[0] >= min_size[0] and reduced[1] >= min_size[1]:
            return factor
    return 1


def decode_image(data: bytes, min_size: Optional[Size] = None) -> np.ndarray:
    """Decode an image file.

    Args:
        data (bytes): A JPEG, PNG, or whatever else OpenCV reads.
        min_size (tuple[int, int], optional): Height and width in pixels. A
            JPEG that still has at least this size after halving is decoded
            at 1/2, 1/4 or 1/8: its cosine transform then yields the smaller
            picture at once. None always decodes in full. Defaults to None.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8, RGB, C-contiguous, EXIF rotation
        applied.

    Raises:
        BrokenImageError: If the bytes are no image or end too early.
    """
    if not data:
        raise BrokenImageError('the file is empty')
    if is_truncated(data):
        raise BrokenImageError(f'cut off after {len(data)} bytes')
    flags = _REDUCED.get(_reduction(data, min_size), cv2.IMREAD_COLOR)
    if _RGB is not None:  # the decoder writes RGB itself, at no cost
        flags = flags & ~cv2.IMREAD_COLOR | _RGB
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise BrokenImageError(f'OpenCV: {error.err}') from error
    if image is None:
        raise BrokenImageError(
            f'{len(data)} bytes starting with {data[:8]!r} are no image')
    if _RGB is None:
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
    return image


@TRANSFORMS.register_module()
class DecodeImage(BaseTransform):
    """Turn ``data`` (the bytes of a file) into ``img``.

    Required keys: ``data`` (bytes). Added: ``img`` (``(H, W, 3)`` uint8,
    RGB). Removed: ``data``.

    Args:
        min_size (tuple[int, int], optional): See :func:`decode_image`. The
            default keeps the smallest local crops sharp as well: 5 % of
            512x256 are 114x57 pixels for a view of 128x64. Smaller is
            faster and softer; None never reduces. Defaults to (512, 256).
    """

    def __init__(self, min_size: Optional[Size] = (512, 256)) -> None:
        if min_size is not None and (len(min_size) != 2 or min(min_size) < 1):
            raise ValueError('min_size must be (height, width) in pixels or '
                             f'None, got {min_size}')
        self.min_size = None if min_size is None else tuple(min_size)

    def transform(self, results: dict) -> dict:
        results['img'] = decode_image(results.pop('data'), self.min_size)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(min_size={self.min_size})'
