"""A few noisy pictures in Fashionpedia's format."""
import copy
import json

import numpy as np
from PIL import Image

from saip_mm.datasets.fashion_taxonomy import ATTRIBUTES, CATEGORIES

SIZES = {7: (60, 40), 8: (48, 64), 12: (64, 48)}
# picture, category, box x, y, w, h, attributes
GARMENTS = [
    (7, 10, [4, 6, 28, 40], [115, 136, 317]),  # dress
    (7, 31, [6, 10, 8, 14], [157]),  # sleeve
    (7, 23, [10, 50, 12, 8], []),  # shoe
    (8, 4, [20, 4, 24, 20], [229, 340]),  # jacket
    (12, 0, [4, 4, 30, 30], []),  # shirt
    (12, 33, [12, 6, 10, 6], [183, 281]),  # neckline
]
FOLDERS = dict(train='train', val='test')


def rectangle(x, y, w, h):
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


def content():
    """What a file holds; a copy, to be changed. Annotations count from 0."""
    return copy.deepcopy(
        dict(
            images=[
                dict(id=i, file_name=f'{i}.jpg', height=h, width=w)
                for i, (h, w) in SIZES.items()
            ],
            categories=[term._asdict() for term in CATEGORIES],
            attributes=[term._asdict() for term in ATTRIBUTES],
            annotations=[
                dict(
                    id=number,
                    image_id=picture,
                    category_id=category,
                    bbox=box,
                    area=box[2] * box[3],
                    iscrowd=0,
                    segmentation=rectangle(*box),
                    attribute_ids=attributes)
                for number, (picture, category, box,
                             attributes) in enumerate(GARMENTS)
            ]))


def changed(index, **values):
    """The annotations, one of them changed; None takes a key away."""
    items = content()['annotations']
    items[index].update(values)
    for key, value in values.items():
        if value is None:
            items[index].pop(key)
    return dict(annotations=items)


def write_fashion(root, **changes):
    """Write train and val alike; return the folder as a string.

    Args:
        root (Path): Folder, made if need be.
        changes: Parts of :func:`content` to put in place of its own.
    """
    rng = np.random.default_rng(0)
    for split, name in FOLDERS.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for number, size in SIZES.items():
            pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f'{number}.jpg')
        (root / f'instances_attributes_{split}2020.json').write_text(
            json.dumps(content() | changes))
    return str(root)
