"""A CrowdHuman of a few noisy pictures, written to a folder."""
import json

import numpy as np
from PIL import Image


def person(fbox, ignore=None, tag='person'):
    """A box as CrowdHuman writes it."""
    box = dict(tag=tag, fbox=fbox, vbox=fbox, hbox=fbox[:2] + [4, 4])
    if ignore is not None:
        box['extra'] = dict(ignore=ignore)
    return box


def write_crowd(root, pictures, split='train', seed=0):
    """Write pictures and annotations; return the folder as a string.

    Args:
        root (Path): Folder, made if need be.
        pictures (dict): Size (height, width) and boxes by ID.
    """
    folder = root / 'Images'
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    lines = []
    for name, (size, boxes) in pictures.items():
        pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f'{name}.jpg')
        lines.append(json.dumps(dict(ID=name, gtboxes=boxes)))
    (root / f'annotation_{split}.odgt').write_text('\n'.join(lines) + '\n')
    return str(root)


PICTURES = {
    '1,a': ((48, 64), [
        person([-6, 4, 20, 40]),
        person([30, 8, 16, 36], 0),
        person([40, 0, 24, 20], tag='mask')
    ]),
    '2,b': ((64, 48), [person([5, 5, 20, 50])]),
    '3,c': ((40, 40), [person([2, 2, 30, 30], tag='mask')]),
    '4,d': ((48, 64), [person([8, 8, 18, 30]),
                       person([9, 9, 18, 30])]),
}
