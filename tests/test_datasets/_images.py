"""Images made on the spot for the tests of this folder."""
import os

import cv2
import numpy as np


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
