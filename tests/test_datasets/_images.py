"""Images made on the spot for the tests of this folder."""
import importlib.util
import io
import os
import warnings

import cv2
import numpy as np
from PIL import Image, ImageOps

# sorted otherwise by code point, by folder, without case, or in Unicode
NAMES = ['b/2.jpg', 'b.jpg', 'a/x y.jpg', 'a-1/1.JPEG', 'a/9.png', 'é.jpg']


def photo(height=120, width=60, seed=0):
    """A smooth colourful picture ``(H, W, 3)`` uint8, RGB."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 4, 3), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def encode(image, suffix='.jpg'):
    return cv2.imencode(suffix, image[..., ::-1],
                        [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()


def write(path, height=120, width=60, seed=0):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(encode(photo(height, width, seed)))


def write_tree(root, names, **kwargs):
    for i, name in enumerate(names):
        write(os.path.join(str(root), name), seed=i, **kwargs)
    return str(root)


LOSSLESS = dict(
    PNG={}, WEBP=dict(lossless=True, exact=True), TIFF={})  # yapf: disable


FORMATS = dict(JPEG=dict(quality=100, subsampling=0), **LOSSLESS)
if (cv2.haveImageWriter('a.avif')
        and importlib.util.find_spec('PIL.AvifImagePlugin')):
    FORMATS['AVIF'] = dict(quality=100, subsampling='4:4:4')


def save(image, form, orientation=None, **kwargs):
    """File of a Pillow image or an array, with an EXIF orientation."""
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    if orientation:
        exif = Image.Exif()
        exif[0x112] = orientation
        kwargs['exif'] = exif.tobytes()
    out = io.BytesIO()
    image.save(out, form, **{**FORMATS.get(form, {}), **kwargs})
    return out.getvalue()


def by_pillow(data):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        return np.asarray(image.convert('RGBA').convert('RGB'))


def keys_of(dataset):
    return [dataset.key(i) for i in range(len(dataset))]
