"""The file of image sizes that CrowdHuman needs and does not come with."""
import json
import os.path as osp
from typing import Dict, Iterable, Tuple

from PIL import Image, UnidentifiedImageError

from saip_mm.datasets.transforms.picture_header import ORIENTATION
from saip_mm.weights import write_file
from ...datasets.text_files import read_json

Sizes = Dict[str, Tuple[int, int]]

LAYOUT = ('CrowdHuman_train01.zip to train03.zip and CrowdHuman_val.zip all '
          'unpack into one folder, Images/')


def image_path(folder: str, image_id: str) -> str:
    """Path of a picture; IDs hold a comma, and no extension."""
    return osp.join(folder, f'{image_id}.jpg')


def measure(path: str) -> Tuple[int, int]:
    """Height and width in pixels, as the decoder will give the picture.

    Only the header is read. Pictures are turned by their EXIF note when they
    are loaded, so their sizes are too.

    Raises:
        FileNotFoundError: If the picture is missing.
        ValueError: If it cannot be read.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'{path} does not exist: {LAYOUT}')
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = _is_turned(image)
    except (UnidentifiedImageError, OSError,
            Image.DecompressionBombError) as error:
        raise ValueError(
            f'{path} is no picture, or cut short: {error}') from error
    return (width, height) if turned else (height, width)


def _is_turned(image: Image.Image) -> bool:
    """Whether EXIF turns a picture by a quarter: orientations 5 to 8."""
    try:
        return image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
    except Exception:  # of any kind, from a broken note: none
        return False


def measure_images(ids: Iterable[str], folder: str) -> Sizes:
    """Height and width by ID of the pictures in a folder."""
    return {name: measure(image_path(folder, name)) for name in ids}


def write_sizes(sizes: Sizes, path: str) -> None:
    """Write the file whole or not at all, as ``{ID: [height, width]}``."""
    text = json.dumps({name: list(size) for name, size in sizes.items()})
    write_file(path, text.encode())


def read_sizes(path: str, ids: Iterable[str]) -> Sizes:
    """Read the sizes of pictures.

    Args:
        path (str): As :func:`write_sizes` makes it.
        ids (Iterable[str]): Pictures that must be in it.

    Returns:
        dict: ``(height, width)`` by ID, for ``ids`` alone.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file.
        KeyError: If a picture is not in it.
    """
    try:
        content = read_json(path, 'it is made at the first use')
        sizes = {k: (int(v[0]), int(v[1])) for k, v in content.items()}
    except (ValueError, AttributeError, TypeError, IndexError, KeyError,
            OverflowError) as error:
        raise ValueError(f'{path} is not a JSON object of ID: [height, width]'
                         '; delete it to rebuild') from error
    ids = list(ids)
    missing = [name for name in ids if name not in sizes]
    if missing:
        raise KeyError(
            f'{path} lacks {len(missing)} of {len(ids)} pictures, first '
            f'{missing[0]}; delete it to rebuild')
    return {name: sizes[name] for name in ids}
