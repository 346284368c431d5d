import os.path as osp

import cv2
import numpy as np
import pytest

from saip_mm.datasets.fashion_taxonomy import ATTRIBUTE_IDS, WITH_ATTRIBUTES
from saip_mm.synthetic import WRITERS
from saip_mm.synthetic.writers.fashionpedia import PICTURES
from ._written import read_json, write_few

COUNTS = dict(train=14, val=6)
FOLDERS = dict(train='train', val='test')


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield write_few(
            tmp_path_factory.mktemp('fashion'),
            'fashionpedia',
            patch,
            PICTURES=tuple(COUNTS.values()))


def facts(root, split):
    return read_json(root, f'instances_attributes_{split}2020.json')


def everything(root):
    for split in COUNTS:
        whole = facts(root, split)
        images = {image['id']: image for image in whole['images']}
        for one in whole['annotations']:
            yield one, images[one['image_id']]


@pytest.mark.parametrize('split', COUNTS)
def test_layout(root, split):
    whole = facts(root, split)
    assert len(whole['images']) == COUNTS[split]
    for image in whole['images']:
        path = osp.join(root, FOLDERS[split], image['file_name'])
        picture = cv2.imread(path)
        assert picture.shape == (image['height'], image['width'], 3)
        assert len(image['file_name']) == 32 + len('.jpg')
    assert len(whole['categories']) == 46 and len(whole['attributes']) == 294
    assert whole['attributes'][235]['id'] == 281


def test_ids_are_unique_and_splits_share_none(root):
    images, annotations = [], []
    for split in COUNTS:
        whole = facts(root, split)
        images += [image['id'] for image in whole['images']]
        annotations += [one['id'] for one in whole['annotations']]
    assert len(set(images)) == len(images) == sum(COUNTS.values())
    assert len(set(annotations)) == len(annotations)
    assert min(annotations) > 0


def test_attributes_are_of_their_categories(root):
    seen, named = set(), set()
    for one, _ in everything(root):
        ids = one['attribute_ids']
        assert set(ids) <= set(ATTRIBUTE_IDS.tolist())
        assert len(set(ids)) == len(ids) and not one['iscrowd']
        assert bool(ids) == (one['category_id'] in WITH_ATTRIBUTES)
        seen.add(one['category_id'])
        named.update(ids)
    assert len(seen) > 10 and len(named) > 15


def test_outlines_boxes_and_areas_agree(root):
    for one, image in everything(root):
        mask = np.zeros((image['height'], image['width']), np.uint8)
        pieces = [
            np.rint(np.reshape(piece, (-1, 2))).astype(int)
            for piece in one['segmentation']
        ]
        assert all(len(piece) > 2 for piece in pieces)
        cv2.fillPoly(mask, pieces, 1)
        x, y, w, h = one['bbox']
        assert 0 <= x and 0 <= y
        assert x + w <= image['width'] and y + h <= image['height']
        assert 0 < one['area'] <= w * h
        rows, columns = mask.nonzero()
        assert rows.min() >= y - 1 and rows.max() <= y + h
        assert columns.min() >= x - 1 and columns.max() <= x + w
        assert mask.sum() >= .7 * one['area']


def test_pictures_show_a_dressed_person(root):
    for split in COUNTS:
        whole = facts(root, split)
        counts = {image['id']: 0 for image in whole['images']}
        for one in whole['annotations']:
            counts[one['image_id']] += 1
        assert min(counts.values()) >= 1
        assert np.mean(list(counts.values())) > 4


def test_the_task_reads_it(root):
    pytest.importorskip('mmdet')
    from saip_mm.tasks.part_attributes import FashionpediaDataset
    from saip_mm.tasks.part_attributes.knowledge import count_attributes
    for split, count in COUNTS.items():
        name = f'instances_attributes_{split}2020.json'
        dataset = FashionpediaDataset(
            data_root=root,
            ann_file=name,
            data_prefix=dict(img=f'{FOLDERS[split]}/'))
        assert len(dataset) == count
        pairs, objects = count_attributes(osp.join(root, name))
        assert objects.sum() == len(facts(root, split)['annotations'])
        assert (pairs <= objects[:, None]).all()


@pytest.mark.parametrize('size', PICTURES)
def test_plan_of_every_size(size):
    jobs = WRITERS['fashionpedia'].plan(size, 0)
    assert len(jobs) == sum(PICTURES[size])
    for job in jobs:
        assert (job.split == 'train') == job.path.startswith('train/')
    other = WRITERS['fashionpedia'].plan(size, 1)
    assert other[0].path != jobs[0].path
