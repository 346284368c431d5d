"""A LIP of three noisy people, written to a folder."""
import numpy as np
from PIL import Image

SIZES = ((48, 32), (40, 24), (56, 40))


def write_lip(root, nested=False):
    """Write pictures, labels and lists; return the folder as a string."""
    rng = np.random.default_rng(0)
    for split in ('train', 'val'):
        folders = [root / f'{split}_images', root / f'{split}_segmentations']
        if nested:
            folders[0] = root / 'TrainVal_images' / folders[0].name
            folders[1] = (
                root / 'TrainVal_parsing_annotations' /
                'TrainVal_parsing_annotations' / folders[1].name)
        for folder in folders:
            folder.mkdir(parents=True)
        for i, size in enumerate(SIZES):
            picture = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(picture).save(folders[0] / f'{i}_{i}.jpg')
            label = rng.integers(0, 20, size, dtype=np.uint8)
            label[:2] = 255
            Image.fromarray(label).save(folders[1] / f'{i}_{i}.png')
        place = root / 'TrainVal_images' if nested else root
        (place / f'{split}_id.txt').write_text('0_0\n1_1\n2_2\n')
    return str(root)
