"""Pictures whose labels are in pixels: turned as their labels are."""
from typing import Optional

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.fileio import get

from mmpretrain.registry import TRANSFORMS
from .decode import MAX_PIXELS, check_picture, decode_stored, turn
from .picture_header import (BrokenImageError, RefusedImageError, Size,
                             read_header)


def decode_as_labelled(data: bytes,
                       size: Optional[Size],
                       name: str,
                       max_pixels: Optional[int] = MAX_PIXELS) -> np.ndarray:
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
        max_pixels (int, optional): See :func:`decode_image`. Defaults to
            ``MAX_PIXELS``.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8, BGR, C-contiguous.

    Raises:
        BrokenImageError: If it cannot be decoded, or is too large.
        ValueError: If the picture has another size, turned or not.
    """
    try:
        header = read_header(data)
        check_picture(header, data, max_pixels)
        image = decode_stored(data, header, rgb=False)
    except RefusedImageError as error:
        raise RefusedImageError(f'{name}: {error}') from error
    except BrokenImageError as error:
        raise BrokenImageError(
            f'{name} is no picture, or cut short: {error}') from error
    orientation = header.orientation
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
