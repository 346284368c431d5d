import os
import os.path as osp

import cv2
import numpy as np
import pytest

from saip_mm.synthetic import WRITERS
from saip_mm.synthetic.writers.coco import DETECTIONS, EMPTY_EVERY, PICTURES
from ._written import read_json, write_few

PARTS = dict(foot=6, face=68, lefthand=21, righthand=21)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield write_few(
            tmp_path_factory.mktemp('coco'), 'coco', patch, PICTURES=(14, 8))


def keypoints(root, split):
    return read_json(root, f'annotations/person_keypoints_{split}2017.json')


def wholebody(root, split):
    return read_json(root, f'annotations/coco_wholebody_{split}_v1.0.json')


@pytest.mark.parametrize('split, count', [('train', 14), ('val', 8)])
def test_pictures_are_those_of_the_file(root, split, count):
    facts = keypoints(root, split)
    names = sorted(os.listdir(osp.join(root, f'{split}2017')))
    assert names == sorted(image['file_name'] for image in facts['images'])
    assert len(names) == count
    for image in facts['images']:
        assert image['file_name'] == f"{image['id']:012d}.jpg"
        picture = cv2.imread(
            osp.join(root, f'{split}2017', image['file_name']))
        assert picture.shape == (image['height'], image['width'], 3)
    people = [a['image_id'] for a in facts['annotations']]
    assert set(people) <= {image['id'] for image in facts['images']}
    assert max(people.count(image) for image in people) > 2


def test_ids_are_unique_and_splits_share_none(root):
    images, annotations = [], []
    for split in ('train', 'val'):
        facts = keypoints(root, split)
        images += [image['id'] for image in facts['images']]
        annotations += [a['id'] for a in facts['annotations']]
    assert len(set(images)) == len(images)
    assert len(set(annotations)) == len(annotations)


@pytest.mark.parametrize('split', ['train', 'val'])
def test_joints_boxes_and_areas_agree(root, split):
    facts = keypoints(root, split)
    sizes = {i['id']: (i['width'], i['height']) for i in facts['images']}
    seen = 0
    for person in facts['annotations']:
        width, height = sizes[person['image_id']]
        x, y, w, h = person['bbox']
        assert 0 <= x and 0 <= y and x + w <= width and y + h <= height
        assert 0 < person['area'] <= w * h
        points = np.array(person['keypoints']).reshape(17, 3)
        assert person['num_keypoints'] == (points[:, 2] > 0).sum()
        shown = points[points[:, 2] == 2]
        seen += len(shown)
        assert (shown[:, :2] >= (x, y)).all()
        assert (shown[:, :2] <= (x + w, y + h)).all()
    assert seen > 60


@pytest.mark.parametrize('split', ['train', 'val'])
def test_wholebody_holds_the_same_people_and_more(root, split):
    body, whole = keypoints(root, split), wholebody(root, split)
    assert whole['images'] == body['images']
    assert len(whole['annotations']) == len(body['annotations'])
    for person, same in zip(whole['annotations'], body['annotations']):
        assert same.items() <= person.items()
        for part, count in PARTS.items():
            assert len(person[f'{part}_kpts']) == 3 * count
            if not person['num_keypoints']:
                assert not person[f'{part}_valid']
    for part in PARTS:
        assert any(p[f'{part}_valid'] for p in whole['annotations'])


def test_crowds_are_marked_and_some_pictures_are_empty(monkeypatch, tmp_path):
    writer = WRITERS['coco']
    jobs = writer.plan('small', 0)[:3 * EMPTY_EVERY]
    records = [writer.render(job, 0)[1] for job in jobs]
    crowds = [
        text for r in records for text in r['pose'] if '"iscrowd": 1' in text
    ]
    assert crowds and all('"counts"' in text for text in crowds)
    for job, record in zip(jobs, records):
        assert not (job.options['empty'] and record['pose'])
    assert sum(job.options['empty'] for job in jobs) == 3


def test_detections_are_of_the_validation_pictures(root):
    found = read_json(root, DETECTIONS)
    images = {image['id'] for image in keypoints(root, 'val')['images']}
    assert {one['image_id'] for one in found} <= images
    people = keypoints(root, 'val')['annotations']
    assert len(found) > len(people)
    for one in found:
        assert set(one) == {'bbox', 'category_id', 'image_id', 'score'}
        assert one['category_id'] == 1 and 0 < one['score'] < 1


@pytest.mark.parametrize('kind, file', [
    ('CocoDataset', 'person_keypoints_{}2017'),
    ('CocoWholeBodyDataset', 'coco_wholebody_{}_v1.0'),
])
def test_mmpose_reads_them(root, kind, file):
    datasets = pytest.importorskip('mmpose.datasets')
    for split in ('train', 'val'):
        people = getattr(datasets, kind)(
            data_root=root,
            ann_file=f'annotations/{file.format(split)}.json',
            data_prefix=dict(img=f'{split}2017/'),
            test_mode=split == 'val')
        labelled = [
            a for a in keypoints(root, split)['annotations']
            if a['num_keypoints'] and not a['iscrowd']
        ]
        assert len(people) == len(labelled) > 8
        one = people[0]
        count = 17 if kind == 'CocoDataset' else 133
        assert one['keypoints'].shape == (1, count, 2)
        assert osp.isfile(one['img_path'])


def test_mmpose_reads_the_detections(root):
    datasets = pytest.importorskip('mmpose.datasets')
    boxes = datasets.CocoDataset(
        data_root=root,
        ann_file='annotations/person_keypoints_val2017.json',
        bbox_file=osp.join(root, DETECTIONS),
        data_prefix=dict(img='val2017/'),
        test_mode=True)
    assert len(boxes) == len(read_json(root, DETECTIONS))


def test_box_ap_is_near_the_published_detectors(root):
    """56 on COCO's people; on a few pictures anything not far from it."""
    coco = pytest.importorskip('pycocotools.coco')
    cocoeval = pytest.importorskip('pycocotools.cocoeval')
    truth = coco.COCO(
        osp.join(root, 'annotations/person_keypoints_val2017.json'))
    run = cocoeval.COCOeval(truth, truth.loadRes(osp.join(root, DETECTIONS)),
                            'bbox')
    run.evaluate()
    run.accumulate()
    run.summarize()
    assert .35 < run.stats[0] < .8


@pytest.mark.parametrize('size', PICTURES)
def test_plan_of_every_size(size):
    jobs = WRITERS['coco'].plan(size, 0)
    assert len(jobs) == sum(PICTURES[size])
    for job in jobs:
        assert (job.split == 'train') == job.path.startswith('train2017/')
