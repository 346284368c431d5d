from pathlib import Path

import cv2
import numpy as np

from ...test_datasets._images import write_tree


def write_market(root, persons=8):
    """Persons to train with, two others to search for, two cameras."""
    names = [
        f'bounding_box_train/{pid:04d}_c{cam}s1_{i:06d}_00.png'
        for pid in range(6, 6 + persons) for cam in (1, 2) for i in range(2)
    ]
    names += [f'query/{pid:04d}_c1s1_000001_00.png' for pid in (4, 5)]
    names += [
        f'bounding_box_test/{pid:04d}_c2s1_000002_00.png' for pid in (4, 5)
    ]
    return write_tree(root, names, height=64, width=32)


def write_parts(root, classes=('background', 'hair', 'skin')):
    """Eight pictures to train with, two others, classes beside."""
    rng = np.random.default_rng(0)
    root = Path(root)
    for split, ids in (('train', range(8)), ('val', range(8, 10))):
        for kind in ('images', 'segmentations'):
            (root / f'{split}_{kind}').mkdir(parents=True)
        for i in ids:
            image = rng.integers(0, 255, (60, 40, 3), np.uint8)
            label = rng.integers(0, len(classes), (60, 40), np.uint8)
            cv2.imwrite(str(root / f'{split}_images/{i}.jpg'), image)
            cv2.imwrite(str(root / f'{split}_segmentations/{i}.png'), label)
        (root / f'{split}_id.txt').write_text('\n'.join(map(str, ids)))
    (root.parent / 'classes.txt').write_text('\n'.join(classes))
