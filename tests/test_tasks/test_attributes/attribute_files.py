"""PA100K, PETA and a list of one's own, in a few pictures each."""
import json
import os

import numpy as np

from saip_mm.datasets.attribute_names import PA100K, PETA, PETA_LABELS
from saip_mm.datasets.mat_file import write_mat
from ...test_datasets._images import write_tree

CLASSES = ('hat', 'backpack', 'long_sleeves')


def write(path, content):
    os.makedirs(os.path.dirname(str(path)), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(content)


def pa100k_content(counts=(4, 2, 3)):
    """What annotation.mat holds; labels of fixed draws."""
    rng, content, number = np.random.default_rng(0), {}, 0
    content['attributes'] = list(PA100K)
    for part, count in zip(('train', 'val', 'test'), counts):
        names = [f'{number + i + 1:06d}.jpg' for i in range(count)]
        number += count
        content[f'{part}_images_name'] = names
        content[f'{part}_label'] = rng.integers(0, 2, (count, 26), np.uint8)
    return content


def write_pa100k(root, folder='data', content=None):
    """A folder of nine pictures; its path."""
    content = content or pa100k_content()
    names = sum((content[f'{part}_images_name']
                 for part in ('train', 'val', 'test')), [])
    write_tree(
        root, [f'{folder}/{name}' for name in names], height=48, width=24)
    write(f'{root}/annotation.mat', write_mat(content))
    return str(root)


# persons of 12 pictures, and a split that shares none
PIDS = (1, 1, 2, 2, 2, 3, 4, 4, 5, 6, 7, 7)
SPLIT = dict(train=[0, 1, 2, 3, 4, 5], val=[6, 7, 8], test=[9, 10, 11])


def peta_content():
    """What PETA.mat holds: all labels of a person are equal."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (max(PIDS) + 1, PETA_LABELS))[list(PIDS)]
    data = np.zeros((len(PIDS), 4 + PETA_LABELS), np.uint16)
    data[:, 0] = np.arange(1, len(PIDS) + 1)
    data[:, 1] = PIDS
    data[:, 2] = 1
    data[:, 4:] = labels
    random = [
        dict(
            train=np.arange(1, 7, dtype=np.uint16)[:, None],
            val=np.array([[7]], np.uint16),
            test=np.arange(8, 13, dtype=np.uint16)[:, None]) for _ in range(5)
    ]
    unused = [f'other{i}' for i in range(PETA_LABELS - len(PETA))]
    return dict(
        data=data,
        attribute=[*PETA, *unused],
        selected_attribute=np.arange(5, 5 + len(PETA))[None],
        partion_attribute=random)


def write_peta(root, content=None, split=SPLIT):
    """A folder of twelve pictures; its path."""
    names = [f'images/{i + 1:05d}.png' for i in range(len(PIDS))]
    write_tree(root, names, height=48, width=24)
    write(f'{root}/PETA.mat', write_mat(dict(peta=content or peta_content())))
    if split:
        write(f'{root}/peta_zs_split.json', json.dumps(split).encode())
    return str(root)


def write_own(root, names=('train', 'val'), count=6):
    """Lists of three attributes and their pictures; the path."""
    for name in names:
        rows = [f'image,{",".join(CLASSES)}']
        for i in range(count):
            rows.append(f'{name}{i}.jpg,{i % 2},{int(i == 1)},{int(i > 2)}')
        write(f'{root}/{name}.csv', ('\n'.join(rows) + '\n').encode())
        write_tree(
            root, [f'images/{name}{i}.jpg' for i in range(count)],
            height=48,
            width=24)
    return str(root)
