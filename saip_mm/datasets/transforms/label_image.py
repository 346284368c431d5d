"""Class numbers of a label file, or the reason why there are none."""
import io
from typing import Tuple

import numpy as np
from PIL import Image

from .decode import is_truncated
from .picture_header import ORIENTATION

# one channel of whole numbers: 1, 8 (with or without palette), 16, 32 bits
MODES = ('1', 'L', 'P', 'I;16', 'I;16B', 'I;16L', 'I')
WRONG_MODES = dict(
    LA='holds an alpha channel',
    La='holds an alpha channel',
    PA='holds an alpha channel',
    F='holds numbers with decimals')
# Pillow stretches grey of 2 and 4 bits to 0-255
_STRETCHED = {'L;2': 85, 'L;4': 17}


class ChannelsError(ValueError):
    """A picture that holds colours, or the like, and no class numbers.

    Attributes:
        channels (int): How many it has.
    """

    def __init__(self, message: str, channels: int) -> None:
        super().__init__(message)
        self.channels = channels


def label_size(content: bytes, path: str) -> Tuple[int, int]:
    """Height and width in pixels; the header alone is read.

    Args:
        content (bytes): The file.
        path (str): Its name, for errors.

    Raises:
        ValueError: As :func:`read_label`, for what the header tells.
    """
    with _open(content, path) as image:
        return image.size[::-1]


def read_label(content: bytes, path: str) -> np.ndarray:
    """Decode a label. A palette is no matter: the numbers are read.

    Args:
        content (bytes): The file.
        path (str): Its name, for errors.

    Returns:
        np.ndarray: ``(H, W)`` integers as they stand in the file, of 8, 16
        or 32 bits.

    Raises:
        ChannelsError: If it is no single channel of whole numbers.
        ValueError: If it is empty, cut short or no image; if it was
            compressed with loss; if EXIF turns it.
    """
    with _open(content, path) as image:
        factor = _stretch(image)
        try:
            image.load()
        except Exception as error:  # Pillow's are of many kinds
            raise ValueError(_broken(path, error)) from error
        label = np.array(image)
        turned = image.getexif().get(ORIENTATION, 1)
    if turned != 1:
        raise ValueError(
            f'{path} is turned by EXIF (orientation {turned}), and whether '
            'its picture is turned alike nothing tells: save the label '
            'without EXIF, the way up that the picture is shown')
    if label.dtype == bool:
        label = label.astype(np.uint8)
    return label // factor if factor > 1 else label


def _open(content: bytes, path: str) -> Image.Image:
    if not content:
        raise ValueError(f'{path} is an empty file (0 bytes): copy it again')
    if is_truncated(content):
        raise ValueError(_broken(path, f'{len(content)} bytes'))
    try:
        image = Image.open(io.BytesIO(content))
    except Image.DecompressionBombError as error:
        raise ValueError(f'{path} is too large ({error}): cut it, with its '
                         'picture, or leave both out') from error
    except Exception as error:  # Pillow's are of many kinds
        raise ValueError(_broken(path, type(error).__name__)) from error
    if image.format in ('JPEG', 'MPO'):
        raise ValueError(f'{path} is a JPEG, whose compression changes class '
                         'numbers: draw the labels into PNG files')
    if image.mode not in MODES:
        what = WRONG_MODES.get(image.mode, 'is a colour image')
        raise ChannelsError(
            f'{path} {what} (mode {image.mode}); expected class numbers '
            '0-255 of one channel: save it as an 8-bit PNG',
            len(image.getbands()))
    return image


def _broken(path: str, why) -> str:
    return f'{path} is cut short or no image ({why}): copy it again'


def _stretch(image: Image.Image) -> int:
    """Factor by which Pillow will raise the numbers while it decodes."""
    arguments = image.tile[0][3] if image.tile else ''
    raw = arguments if isinstance(arguments, str) else arguments[0]
    return _STRETCHED.get(str(raw)[:3], 1)
