"""Part labels of one's own, written to a folder: 12 classes."""
import numpy as np
from PIL import Image

# no left, no right
PLAIN = ('background', 'hair', 'skin', 'accessory', 'top', 'outer', 'dress',
         'trousers', 'skirt', 'legwear', 'shoes', 'bag')
SIDED = ('background', 'hair', 'face', 'torso', 'left_arm', 'right_arm',
         'left_hand', 'right_hand', 'hips', 'left_leg', 'right_leg', 'shoes')
SIDED_PAIRS = [(4, 5), (6, 7), (9, 10)]
SIZES = ((48, 32), (40, 24), (56, 40))


def write_parts(root, num_classes=12, suffix='.jpg'):
    """Write pictures, labels and lists; return the data set's config."""
    rng = np.random.default_rng(0)
    for folder in ('images', 'labels'):
        (root / folder).mkdir(parents=True)
    for i, size in enumerate(SIZES):
        picture = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(picture).save(root / f'images/{i}{suffix}')
        label = rng.integers(0, num_classes, size, dtype=np.uint8)
        label[:2] = 255
        Image.fromarray(label).save(root / f'labels/{i}.png')
    (root / 'ids.txt').write_text('0\n1\n2\n')
    return dict(
        type='PartsDataset',
        data_root=str(root),
        ann_file='ids.txt',
        data_prefix=dict(img_path='images', seg_map_path='labels'),
        metainfo=dict(classes=PLAIN))
