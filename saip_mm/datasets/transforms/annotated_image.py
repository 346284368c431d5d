"""Pictures whose labels are in pixels: turned as their labels are."""
import io
from typing import Optional

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.fileio import get
from PIL import Image

from mmpretrain.registry import TRANSFORMS
from .decode import BrokenImageError, Size, is_truncated

ORIENTATION = 0x0112  # EXIF tag: 1 as stored, 2 to 8 turned or mirrored
_TURNS = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image.swapaxes(0, 1)[:, ::-1],
    7: lambda image: image.swapaxes(0, 1)[::-1, ::-1],
    8: lambda image: image.swapaxes(0, 1)[::-1]
}


def read_orientation(data: bytes) -> int:
    """EXIF orientation of a picture of any format, 1 where there is none.

    Args:
        data (bytes): The file; its header alone is read.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # of any kind; whether it is a picture decoding tells
        return 1
    return found if found in _TURNS else 1


def turn(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turn a stored picture ``(H, W, ...)`` the way EXIF wants it shown."""
    if orientation not in _TURNS:
        return image
    return np.ascontiguousarray(_TURNS[orientation](image))


def decode_as_labelled(data: bytes, size: Optional[Size],
                       name: str) -> np.ndarray:
    """Decode a picture the way up that its labels were drawn on.

    Some tools draw labels on pictures as they are stored, others as EXIF
    wants them shown. The size that the labels give tells which; where it
    fits both (half turns, mirrors, squares, no size given) the picture is
    turned as EXIF says, as viewers and most labelling tools do.

    Args:
        data (bytes): The file.
        size (tuple[int, int], optional): Height and width in pixels of the
            picture as its labels know it. None where they do not tell.
        name (str): The file's name, for the error.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8, BGR, C-contiguous.

    Raises:
        BrokenImageError: If it cannot be decoded.
        ValueError: If the picture has another size, turned or not.
    """
    image = None
    if data and not is_truncated(data):
        image = cv2.imdecode(
            np.frombuffer(data, np.uint8),
            cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise BrokenImageError(f'{name} is no picture, or cut short')
    orientation = read_orientation(data)
    turned = turn(image, orientation)
    if size is None or turned.shape[:2] == tuple(size):
        return turned
    if image.shape[:2] == tuple(size):
        return image
    raise ValueError(
        f'{name} has {image.shape[0]}x{image.shape[1]} pixels (height x '
        f'width), its labels are of {size[0]}x{size[1]}: are they of another '
        'copy of the picture? Take the copy that was labelled')


@TRANSFORMS.register_module()
class LoadAnnotatedImage(BaseTransform):
    """``LoadImageFromFile`` that turns a picture as its labels are turned.

    Required keys: ``img_path``; optional ``height`` and ``width``, the size
    as the labels know it, see :func:`decode_as_labelled`. Added: ``img``
    (``(H, W, 3)`` uint8, BGR), ``img_shape``, ``ori_shape``.

    Args:
        to_float32 (bool): Defaults to False.
        backend_args (dict, optional): Of mmengine's file client.
    """

    def __init__(self,
                 to_float32: bool = False,
                 backend_args: Optional[dict] = None) -> None:
        self.to_float32 = to_float32
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        path = results['img_path']
        size = None
        if results.get('height') and results.get('width'):
            size = (int(results['height']), int(results['width']))
        image = decode_as_labelled(
            get(path, backend_args=self.backend_args), size, path)
        results['img'] = image.astype(np.float32) if self.to_float32 else image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(to_float32={self.to_float32})'
