"""The three formats of persons with sentences."""
import os.path as osp

import pytest
from mmengine.registry import DefaultScope
from PIL import Image

from saip_mm.synthetic import WRITERS
from saip_mm.synthetic.people.palette import CLOTH, HAIR
from saip_mm.tasks.text_reid import (CUHKPEDESDataset, ICFGPEDESDataset,
                                     RSTPReidDataset)
from ._written import read_json, write_few

PERSONS = dict(cuhk_pedes=(3, 1, 2), icfg_pedes=(2, 0, 2), rstpreid=(2, 1, 1))
DATA_SETS = dict(
    cuhk_pedes=CUHKPEDESDataset,
    icfg_pedes=ICFGPEDESDataset,
    rstpreid=RSTPReidDataset)
COLORS = set(CLOTH) | set(HAIR)


@pytest.fixture(scope='module', params=PERSONS)
def written(request, tmp_path_factory):
    name = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(WRITERS[name].persons, 'tiny', PERSONS[name])
        root = write_few(tmp_path_factory.mktemp(name), name, patch)
    return name, root, read_json(root, WRITERS[name].file)


def test_records(written):
    name, root, records = written
    assert {
        r['split']
        for r in records
    } == {
        split
        for split, count in zip(('train', 'val', 'test'), PERSONS[name])
        if count
    }
    path = 'img_path' if name == 'rstpreid' else 'file_path'
    for entry in records:
        with Image.open(osp.join(root, 'imgs', entry[path])) as picture:
            assert picture.height > picture.width
            assert (picture.format == 'PNG') is entry[path].endswith('.png')
        assert len(entry['captions']) == WRITERS[name].sentences
        for text in entry['captions']:
            words = text.lower().replace(',', ' ').replace('.', ' ').split()
            assert len(words) > 8 and set(words) & COLORS, text
    ids = {
        split: [r['id'] for r in records if r['split'] == split]
        for split in ('train', 'val', 'test')
    }
    first = int(name == 'cuhk_pedes')
    assert sorted(set(ids['train'])) == list(
        range(first, first + PERSONS[name][0]))
    if name == 'icfg_pedes':
        assert sorted(set(ids['test'])) == [0, 1]
        assert all(r['file_path'].startswith(f"{r['split']}/{r['id']:04d}/")
                   for r in records)
    else:
        assert min(ids['test']) == first + sum(PERSONS[name][:2])
    if name == 'rstpreid':
        assert all(ids['train'].count(i) == 5 for i in ids['train'])


def test_the_data_set_reads_it(written):
    name, root, records = written
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        train = DATA_SETS[name](root)
        test = DATA_SETS[name](root, 'test', test_mode=True)
    assert train.metainfo['num_ids'] == PERSONS[name][0]
    assert len(test) == sum(r['split'] == 'test' for r in records)
    assert train[0]['inputs'].shape == (3, 384, 128)


@pytest.mark.parametrize('name', PERSONS)
@pytest.mark.parametrize('size', ['tiny', 'small', 'large'])
def test_plan_of_every_size(name, size):
    writer = WRITERS[name]
    jobs = writer.plan(size, 0)
    persons = {(j.options['split'], j.options['person']) for j in jobs}
    assert len(persons) == sum(writer.persons[size])
    low, high = writer.pictures
    assert low * len(persons) <= len(jobs) <= high * len(persons)
    assert len({j.path for j in jobs}) == len(jobs)
    assert {j.split
            for j in jobs if j.options['split'] == 'train'} == {'train'}
    assert 'train' not in {
        j.split
        for j in jobs if j.options['split'] != 'train'
    }
