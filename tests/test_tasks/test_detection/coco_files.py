"""A user's few noisy pictures with boxes in COCO's format."""
import copy
import json

import numpy as np
from PIL import Image

SIZES = [(48, 64), (64, 48), (40, 40)]
# neither in the order of their numbers nor in that of the config
CATEGORIES = [
    dict(id=7, name='bicycle'),
    dict(id=3, name='dog'),
    dict(id=9, name='person')
]
BOXES = [(1, 9, [4, 4, 20, 40]), (1, 7, [30, 20, 20, 20]),
         (1, 3, [40, 4, 10, 10]), (2, 9, [5, 5, 20, 50]),
         (3, 7, [2, 2, 30, 30])]  # image, category, x, y, w, h


def content():
    """What the file holds; a copy, to be changed."""
    images = [
        dict(id=i, file_name=f'{i}.jpg', height=height, width=width)
        for i, (height, width) in enumerate(SIZES, 1)
    ]
    annotations = [
        dict(
            id=i,
            image_id=image,
            category_id=category,
            bbox=box,
            area=box[2] * box[3],
            iscrowd=0) for i, (image, category, box) in enumerate(BOXES, 1)
    ]
    return copy.deepcopy(
        dict(images=images, annotations=annotations, categories=CATEGORIES))


def write_coco(root, **changes):
    """Write train and val alike; return the folder as a string.

    Args:
        root (Path): Folder, made if need be.
        changes: Parts of :func:`content` to put in place of its own.
    """
    rng = np.random.default_rng(0)
    for split in ('train', 'val'):
        folder = root / split
        folder.mkdir(parents=True, exist_ok=True)
        for i, size in enumerate(SIZES, 1):
            pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f'{i}.jpg')
        (root / f'{split}.json').write_text(json.dumps(content() | changes))
    return str(root)
