import os.path as osp

import numpy as np
import pytest
from PIL import Image

from saip_mm.datasets import MSMT17Dataset
from saip_mm.datasets.prepare.person_counts import count_msmt17
from saip_mm.synthetic import WRITERS
from saip_mm.synthetic.writers.msmt17 import PEOPLE
from ._written import write_few

SPLITS = ('train', 'query', 'gallery')


@pytest.fixture(scope='module')
def roots(tmp_path_factory):
    folder = tmp_path_factory.mktemp('msmt17')
    with pytest.MonkeyPatch.context() as patch:
        yield [
            write_few(folder, name, patch, PEOPLE=2)
            for name in ('msmt17', 'msmt17_v2')
        ]


def persons(root, split, **settings):
    data = MSMT17Dataset(root, split, **settings)
    return [data.get_data_info(i) for i in range(len(data))]


def test_both_versions_hold_the_same(roots):
    for split in SPLITS:
        one, two = (persons(root, split) for root in roots)
        assert [(i['pid'], i['camid']) for i in one] == [(i['pid'], i['camid'])
                                                         for i in two]
        assert [osp.basename(i['img_path'])
                for i in one] == [osp.basename(i['img_path']) for i in two]


def test_version_2_is_blurred_in_places(roots):
    changed = []
    for one, two in zip(*(persons(root, 'train') for root in roots)):
        one, two = (
            np.asarray(Image.open(i['img_path']), int) for i in (one, two))
        differs = np.abs(one - two).max(2) > 20
        rows = np.flatnonzero(differs.any(1))
        changed.append(len(rows) > 0)
        assert differs.mean() < 0.2
    assert np.mean(changed) > 0.7


def test_every_query_has_a_match_by_another_camera(roots):
    gallery = {(i['pid'], i['camid']) for i in persons(roots[0], 'gallery')}
    for info in persons(roots[0], 'query'):
        assert any(pid == info['pid'] and cam != info['camid']
                   for pid, cam in gallery)


def test_counted(roots):
    for root, version in zip(roots, ('version 1', 'version 2')):
        counted = count_msmt17(root, read=True)
        assert not counted.problems
        assert counted.notes[0].startswith(version)
        numbers = counted.numbers
        assert numbers['train identities'] == numbers['val pictures'] == 2
        assert numbers['gallery identities'] == 2
        assert numbers['train pictures'] == len(
            persons(root, 'train', use_val=False))


@pytest.mark.parametrize('size', PEOPLE)
def test_plan_of_every_size(size):
    jobs = WRITERS['msmt17'].plan(size, 0)
    for split in ('train', 'test'):
        mine = [job for job in jobs if job.split == split]
        assert len({job.options['person'] for job in mine}) == PEOPLE[size]
