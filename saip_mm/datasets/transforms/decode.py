"""Image bytes to pixels, as fast as one core allows."""
import io
import re
from typing import Optional

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.fileio import get
from PIL import Image, ImageOps

from mmpretrain.registry import TRANSFORMS
from .picture_header import (BITS, EXTRA, FORM, JPEG, OTHER, TIFF,
                             BrokenImageError, PictureHeader,
                             RefusedImageError, Size, jpeg_size, read_header)

# The data loader is the parallelism: a thread pool in each worker only
# makes the workers fight for the same cores.
cv2.setNumThreads(0)

# 512 MiB as RGB, where Pillow refuses by itself: pictures of 13 000x13 000.
# One of 30 000x30 000 takes 5 GB and 12 s, in every worker that meets it.
MAX_PIXELS = 178_956_970

_JPEG_END, _JPEG_SCAN, _PNG_END = b'\xff\xd9', b'\xff\xda', b'IEND'
_RGB = getattr(cv2, 'IMREAD_COLOR_RGB', None)  # since OpenCV 4.11
_REDUCED = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8
}
_TURNS = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image.swapaxes(0, 1)[:, ::-1],
    7: lambda image: image.swapaxes(0, 1)[::-1, ::-1],
    8: lambda image: image.swapaxes(0, 1)[::-1]
}
_BACK = {6: 8, 8: 6}  # the others undo themselves
_FORMS = {2: 'signed', 3: 'float', 5: 'complex', 6: 'complex'}  # of TIFF
# Magic numbers of formats of floats: Radiance, OpenEXR, PFM.
_FLOATS = re.compile(rb'#\?R|\x76\x2f\x31\x01|P[Ff]\s')
# Netpbm's header up to its largest value: type, width, height, maximum.
_NETPBM = re.compile(rb'P[2356](?:\s+|#[^\n]*\n)+\d+(?:\s+|#[^\n]*\n)+\d+'
                     rb'(?:\s+|#[^\n]*\n)+(\d+)')


def is_truncated(data: bytes) -> bool:
    """OpenCV fills what is missing with grey and says nothing."""
    if data[:2] == b'\xff\xd8':
        return (data[-2:] != _JPEG_END
                and data.rfind(_JPEG_END) <= data.rfind(_JPEG_SCAN))
    if data[:4] == b'\x89PNG':
        return data.rfind(_PNG_END) < 0
    return False


def turn(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turn a stored picture ``(H, W, ...)`` the way EXIF wants it shown."""
    if orientation not in _TURNS:
        return image
    return np.ascontiguousarray(_TURNS[orientation](image))


def check_picture(header: PictureHeader, data: bytes,
                  max_pixels: Optional[int]) -> None:
    """Refuse what is cut short, too large, or whose values mean nothing.

    Args:
        header (PictureHeader): Of the file.
        data (bytes): The file.
        max_pixels (int, optional): Limit on height x width as stored; None
            leaves it to OpenCV, which takes 2^30.

    Raises:
        BrokenImageError: If it is cut short.
        RefusedImageError: If it is larger, or of floats or signed integers,
            whose range no file says.
    """
    if is_truncated(data):
        raise BrokenImageError(f'cut off after {len(data)} bytes')
    height, width = header.size
    if max_pixels is not None and height * width > max_pixels:
        raise RefusedImageError(
            f'{height}x{width} pixels (height x width) are more than the '
            f'limit of {max_pixels}: shrink it, or raise max_pixels')
    values = _unknown_range(header, data)
    if values:
        raise RefusedImageError(
            f'its values are {values}, what is black and white is not known: '
            'save it with 8 or 16 bits')


def _unknown_range(header: PictureHeader, data: bytes) -> Optional[str]:
    """Name values which OpenCV would cut off or leave dark."""
    if header.kind == TIFF:
        form = _FORMS.get(header.tags.get(FORM, 1), 'unsigned')
        bits = header.tags.get(BITS, 1)
        if form != 'unsigned' or bits not in (1, 2, 4, 8, 16):
            return f'{bits}-bit {form}'
    elif header.kind == OTHER:
        if _FLOATS.match(data):
            return 'float'
        largest = _NETPBM.match(data)
        if largest and int(largest[1]) not in (255, 65535):
            return f'0 to {int(largest[1])}'
    return None


def decode_stored(data: bytes,
                  header: PictureHeader,
                  rgb: bool,
                  factor: int = 1) -> np.ndarray:
    """Decode a picture as it is stored, not turned.

    Args:
        data (bytes): The file.
        header (PictureHeader): Of it.
        rgb (bool): Order of the channels; else BGR.
        factor (int): 1, or for a JPEG 2, 4, 8: decode it at 1/2, 1/4, 1/8.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8, C-contiguous. 16 bits are scaled;
        alpha is left away, the first frame or page is taken.

    Raises:
        BrokenImageError: If it cannot be decoded.
    """
    if header.kind == TIFF and EXTRA in header.tags:
        image = _by_pillow(data)
        if not rgb:
            image = np.ascontiguousarray(image[..., ::-1])
        return turn(image, _BACK.get(header.orientation, header.orientation))
    flags = _REDUCED.get(factor, cv2.IMREAD_COLOR)
    # The decoder writes RGB itself, at no cost; OpenCV 4.12's of AVIF with
    # alpha forgets to.
    swap = rgb and (_RGB is None or header.kind == OTHER)
    if rgb and not swap:
        flags = flags & ~cv2.IMREAD_COLOR | _RGB
    try:
        image = cv2.imdecode(
            np.frombuffer(data, np.uint8),
            flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise BrokenImageError(f'OpenCV: {error.err}') from error
    if image is None:
        raise BrokenImageError(
            f'{len(data)} bytes starting with {data[:8]!r} cannot be decoded')
    if swap:
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
    if header.kind == TIFF:  # OpenCV turns it, whatever the flags say
        image = turn(image, _BACK.get(header.orientation, header.orientation))
    return image


def _by_pillow(data: bytes) -> np.ndarray:
    """TIFFs with alpha, which libtiff lays on black."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image = ImageOps.exif_transpose(image)
            return np.array(image.convert('RGBA').convert('RGB'))
    except Exception as error:  # of any kind: it is a parser of anything
        raise BrokenImageError(f'Pillow: {error}') from error


def _reduction(header: PictureHeader, min_size: Optional[Size]) -> int:
    if min_size is None or header.kind != JPEG:
        return 1
    height, width = header.size
    for factor in (8, 4, 2):
        reduced = (height // factor, width // factor)
        if reduced[0] >= min_size[0] and reduced[1] >= min_size[1]:
            return factor
    return 1


def decode_image(data: bytes,
                 min_size: Optional[Size] = None,
                 max_pixels: Optional[int] = MAX_PIXELS) -> np.ndarray:
    """Decode an image file.

    Args:
        data (bytes): A JPEG, PNG, WebP, or whatever else OpenCV reads.
        min_size (tuple[int, int], optional): Height and width in pixels. A
            JPEG that still has at least this size after halving is decoded
            at 1/2, 1/4 or 1/8: its cosine transform then yields the smaller
            picture at once. None always decodes in full. Defaults to None.
        max_pixels (int, optional): Larger pictures are refused by their
            header, before they are decoded. None has OpenCV's limit alone.
            Defaults to ``MAX_PIXELS``.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8, RGB, C-contiguous, EXIF rotation
        applied.

    Raises:
        BrokenImageError: If the bytes are no image, end too early, are too
            large, or of floats.
    """
    header = read_header(data)
    check_picture(header, data, max_pixels)
    factor = _reduction(header, min_size)
    image = decode_stored(data, header, True, factor)
    return turn(image, header.orientation)


@TRANSFORMS.register_module()
class DecodeImage(BaseTransform):
    """Turn a file into ``img``.

    Required keys: ``data`` (bytes of the file) or ``img_path`` (str), from
    which they are read. Added: ``img`` (``(H, W, 3)`` uint8, RGB). Removed:
    ``data``. Changed: ``keypoints`` (``(17, 3)``, x and y in the file's own
    pixels, rotated as it is shown), where the picture is decoded smaller.

    Args:
        min_size (tuple[int, int], optional): See :func:`decode_image`. The
            default keeps the smallest local crops sharp as well: 5 % of
            512x256 are 114x57 pixels for a view of 128x64. Smaller is
            faster and softer; None never reduces. Defaults to (512, 256).
        max_pixels (int, optional): See :func:`decode_image`; larger
            pictures count as broken. Defaults to ``MAX_PIXELS``.
    """

    def __init__(self,
                 min_size: Optional[Size] = (512, 256),
                 max_pixels: Optional[int] = MAX_PIXELS) -> None:
        if min_size is not None and (len(min_size) != 2 or min(min_size) < 1):
            raise ValueError('min_size must be (height, width) in pixels or '
                             f'None, got {min_size}')
        if max_pixels is not None and max_pixels < 1:
            raise ValueError('max_pixels must be at least 1 or None, got '
                             f'{max_pixels}')
        self.min_size = None if min_size is None else tuple(min_size)
        self.max_pixels = max_pixels

    def transform(self, results: dict) -> dict:
        data = results.pop('data', None)
        if data is None:
            data = get(results['img_path'])
        image = decode_image(data, self.min_size, self.max_pixels)
        results['img'] = image
        if results.get('keypoints') is not None:
            results['keypoints'] = self._follow(results['keypoints'], data,
                                                image.shape[:2])
        return results

    @staticmethod
    def _follow(points: np.ndarray, data: bytes, size: Size) -> np.ndarray:
        """Keypoints of the file in the pixels of what was decoded."""
        header = read_header(data)
        whole = header.size[::-1] if header.orientation > 4 else header.size
        if tuple(whole) == tuple(size):
            return points
        points = np.array(points, np.float32)
        for axis, (now, then) in enumerate(zip(size[::-1], whole[::-1])):
            points[:, axis] = (points[:, axis] + .5) * now / then - .5
        return points

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(min_size={self.min_size}, '
                f'max_pixels={self.max_pixels})')


__all__ = [
    'BrokenImageError', 'DecodeImage', 'MAX_PIXELS', 'RefusedImageError',
    'Size', 'check_picture', 'decode_image', 'decode_stored', 'is_truncated',
    'jpeg_size', 'turn'
]
