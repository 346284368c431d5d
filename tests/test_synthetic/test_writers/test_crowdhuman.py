import json
import os
import os.path as osp

import cv2
import numpy as np
import pytest

from saip_mm.synthetic import WRITERS
from saip_mm.synthetic.writers.crowdhuman import PICTURES
from ._written import write_few

COUNTS = dict(train=8, val=4)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield write_few(
            tmp_path_factory.mktemp('crowd'),
            'crowdhuman',
            patch,
            PICTURES=tuple(COUNTS.values()))


def lines(root, split):
    with open(osp.join(root, f'annotation_{split}.odgt')) as file:
        return [json.loads(line) for line in file.read().rstrip().split('\n')]


def everybody(root):
    for split in COUNTS:
        for line in lines(root, split):
            path = osp.join(root, 'Images', line['ID'] + '.jpg')
            size = cv2.imread(path).shape
            for box in line['gtboxes']:
                if box['tag'] == 'person':
                    yield box, size


def test_layout(root):
    ids = [line['ID'] for split in COUNTS for line in lines(root, split)]
    assert [len(lines(root, split)) for split in COUNTS] == [8, 4]
    assert len(set(ids)) == len(ids)
    assert all(',' in name for name in ids)
    found = os.listdir(osp.join(root, 'Images'))
    assert sorted(found) == sorted(name + '.jpg' for name in ids)


def test_boxes_hold_each_other(root):
    leaves_picture = hidden = ignored = 0
    for box, (height, width, _) in everybody(root):
        fx, fy, fw, fh = box['fbox']
        vx, vy, vw, vh = box['vbox']
        hx, hy, hw, hh = box['hbox']
        assert 0 <= vx and 0 <= vy and vx + vw <= width and vy + vh <= height
        assert fx <= vx and fy <= vy and min(vw, vh) > 0
        assert vx + vw <= fx + fw and vy + vh <= fy + fh
        assert fx <= hx and fy <= hy
        assert hx + hw <= fx + fw and hy + hh <= fy + fh
        leaves_picture += fx < 0 or fx + fw > width or fy + fh > height
        ignored += box['extra'].get('ignore', 0)
        smaller = vw * vh < .5 * fw * fh
        hidden += smaller
        assert box['extra']['occ'] or not smaller
        assert all(isinstance(v, int) for v in box['fbox'] + box['hbox'])
    assert leaves_picture > 3 and hidden > 10
    assert 0 < ignored < 30


def test_heads_that_are_hidden_are_marked(root):
    flags = [box['head_attr'] for box, _ in everybody(root)]
    assert any(flag['ignore'] for flag in flags)
    assert any(flag['occ'] for flag in flags)
    assert not all(flag['occ'] for flag in flags)
    assert all(flag['occ'] for flag in flags if flag['ignore'])


def test_pictures_are_crowded(root):
    counts = [
        sum(box['tag'] == 'person' for box in line['gtboxes'])
        for line in lines(root, 'train')
    ]
    assert np.mean(counts) > 10
    crowded = 0
    for line in lines(root, 'train'):
        boxes = [b['fbox'] for b in line['gtboxes'] if b['tag'] == 'person']
        crowded += max(
            overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i]) > .5
    assert crowded > 5


def overlap(a, b):
    """Intersection over union of two boxes x, y, w, h."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(w, 0) * max(h, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def test_regions_to_ignore(root):
    regions = [
        box for split in COUNTS for line in lines(root, split)
        for box in line['gtboxes'] if box['tag'] == 'mask'
    ]
    assert regions
    for box in regions:
        assert box['extra']['ignore'] == 1 and box['head_attr'] == {}
        assert box['fbox'] == box['vbox'] == box['hbox']


def test_mmdet_reads_it(root):
    datasets = pytest.importorskip('mmdet.datasets')
    for split in COUNTS:
        crowd = datasets.CrowdHumanDataset(
            data_root=root,
            ann_file=f'annotation_{split}.odgt',
            data_prefix=dict(img='Images/'))
        assert len(crowd) == COUNTS[split]
        for line, info in zip(lines(root, split), range(len(crowd))):
            info = crowd.get_data_info(info)
            assert info['img_id'] == line['ID']
            flags = [one['ignore_flag'] for one in info['instances']]
            assert flags == [
                int(b['tag'] != 'person' or b['extra'].get('ignore', 0))
                for b in line['gtboxes']
            ]


@pytest.mark.parametrize('size', PICTURES)
def test_plan_of_every_size(size):
    jobs = WRITERS['crowdhuman'].plan(size, 0)
    assert len(jobs) == sum(PICTURES[size])
    assert sum(job.split == 'train' for job in jobs) == PICTURES[size][0]
    other = WRITERS['crowdhuman'].plan(size, 1)
    assert other[0].path != jobs[0].path
