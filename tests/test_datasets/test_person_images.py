import os.path as osp
import shutil
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mmpretrain.registry import DATASETS
from saip_mm.datasets import PersonImages, ResumableSampler
from saip_mm.datasets import person_images as module
from ._images import NAMES, keys_of, write_tree

CROPS = dict(
    type='PersonCrops',
    size=(32, 16),
    local_size=(32, 16),
    background_size=None,
    num_scales=0,
    num_locals=1)
PIPELINE = [dict(type='DecodeImage'), CROPS]
REAL = osp.join(
    osp.dirname(__file__), '../../../shared/data/real/person_crops')


def test_mixture_is_a_concatenation(tree, tmp_path):
    other = write_tree(tmp_path / 'other', ['z.jpg', 'y.jpg'])
    data = PersonImages([tree, dict(data_root=other, num_samples=1)])
    assert keys_of(data) == sorted(NAMES) + ['y.jpg']
    assert len(list(data)) == 7
    assert data[6]['key'] == 'y.jpg'


def test_sample_depends_on_seed_epoch_and_index(tree):

    def anchor(seed, i):
        return PersonImages(tree, PIPELINE, seed)[i]['inputs']['anchor']

    count = len(NAMES)
    assert torch.equal(anchor(0, count + 2), anchor(0, count + 2))
    assert not torch.equal(anchor(0, 2), anchor(0, count + 2))
    assert not torch.equal(anchor(0, 2), anchor(1, 2))
    data = PersonImages(tree, PIPELINE, 0)
    assert data[2]['key'] == data[count + 2]['key'] == data.key(2)


def test_generator_is_that_of_seed_epoch_index(tree):
    data = PersonImages(tree, [lambda results: results], seed=7)
    drawn = data[3 * len(NAMES) + 4]['rng'].random(5)
    assert np.array_equal(drawn, np.random.default_rng((7, 3, 4)).random(5))


@pytest.mark.parametrize('workers', [0, 2])
def test_workers_make_no_difference(tree, workers):
    data = DATASETS.build(
        dict(type='PersonImages', sources=[tree], pipeline=PIPELINE))
    sampler = ResumableSampler(data, seed=1)
    sampler.set_epoch(2)
    batch, = DataLoader(data, 6, sampler=sampler, num_workers=workers)
    alone = [data[i]['inputs']['anchor'] for i in sampler]
    assert torch.equal(batch['inputs']['anchor'], torch.stack(alone))
    assert sorted(batch['key']) == sorted(NAMES)


def break_images(root):
    with open(osp.join(root, 'b.jpg'), 'r+b') as file:
        file.truncate(300)
    with open(osp.join(root, 'a/9.png'), 'w') as file:
        file.write('this is text')


@pytest.mark.parametrize('workers', [0, 2])
def test_broken_images_are_replaced_and_counted(tree, workers):
    break_images(tree)
    data = PersonImages(tree, PIPELINE, seed=0)
    for _ in range(2):
        batch, = DataLoader(data, len(data), num_workers=workers)
        replaced = batch['replaced'].tolist()
        bad = [k in ('b.jpg', 'a/9.png') for k in sorted(NAMES)]
        assert [r > 0 for r in replaced] == bad
        assert not {'b.jpg', 'a/9.png'} & set(batch['key'])
    assert data.num_broken == 2
    first, again = data[1], data[1]
    assert first['key'] == again['key']
    assert torch.equal(first['inputs']['anchor'], again['inputs']['anchor'])


def test_a_broken_image_is_logged_once(tree, monkeypatch):
    said = []
    monkeypatch.setattr(module, 'print_log', lambda m, **kw: said.append(m))
    break_images(tree)
    data = PersonImages(tree, PIPELINE)
    for i in range(3 * len(data)):
        data[i]
    assert len(said) == 2
    assert any("'b.jpg'" in m and tree in m and 'cut off' in m for m in said)


def test_replacement_comes_from_the_same_source(tree, tmp_path):
    break_images(tree)
    other = write_tree(tmp_path / 'other', ['z.jpg'])
    data = PersonImages([other, tree], PIPELINE)
    for epoch in range(5):
        assert data[epoch * len(data) + 2]['key'] in NAMES


def test_no_source():
    with pytest.raises(ValueError, match='at least one source'):
        PersonImages([])


def test_source_of_broken_images_only(tmp_path):
    for i in range(50):
        (tmp_path / f'{i:02d}.jpg').write_text('text')
    with pytest.raises(ValueError) as error:
        PersonImages(str(tmp_path), PIPELINE)
    for word in (str(tmp_path), '49.jpg', 'Check data_root'):
        assert word in str(error.value)


def test_list_of_another_folder(tree):
    with open(osp.join(tree, 'l.txt'), 'w') as file:
        file.write('gone/1.jpg\ngone/2.jpg\n')
    with pytest.raises(ValueError, match="none of 2 images.*gone/2.jpg"):
        PersonImages(dict(data_root=tree, ann_file='l.txt'))


def test_disk_that_vanishes_stops_training(tree):
    data = PersonImages(tree, PIPELINE)
    shutil.rmtree(tree)
    with pytest.raises(RuntimeError, match='in a row.*disk'):
        data[0]


# background images

STREETS = ['s1.jpg', 's2.jpg', 's3.jpg']
BEHIND = [
    dict(type='DecodeImage'), {
        **CROPS, 'num_locals': 0,
        'background_size': (32, 32)
    }
]


@pytest.fixture
def streets(tmp_path):
    return write_tree(tmp_path / 'streets', STREETS, height=80, width=100)


def test_background_is_drawn_uniformly(tree, streets, monkeypatch):
    data = PersonImages(tree, BEHIND, 0, background=streets)
    source, = data.background.sources
    read = Mock(side_effect=source.read)
    monkeypatch.setattr(source, 'read', read)
    for i in range(600):
        assert set(data[i]['inputs']) == {'anchor', 'background_other'}
    keys = [call.args[0] for call in read.call_args_list]
    # 200 +- 4 standard deviations of sqrt(600 * 1/3 * 2/3) = 11.5
    assert all(abs(keys.count(key) - 200) < 46 for key in STREETS)


@pytest.mark.parametrize('workers', [0, 2])
def test_background_depends_on_seed_epoch_and_index(tree, streets, workers):
    data = PersonImages(tree, BEHIND, background=streets)
    sampler = ResumableSampler(data, seed=1)
    sampler.set_epoch(2)
    batch, = DataLoader(data, 6, sampler=sampler, num_workers=workers)
    again = PersonImages(tree, BEHIND, seed=1, background=[streets])
    for name in ('anchor', 'background_other'):
        alone = [again[i]['inputs'][name] for i in reversed(list(sampler))]
        assert torch.equal(batch['inputs'][name].flip(0), torch.stack(alone))


def test_broken_backgrounds_are_replaced_and_counted(tree, streets):
    break_images(tree)
    with open(osp.join(streets, 's2.jpg'), 'w') as file:
        file.write('this is text')
    data = PersonImages(tree, BEHIND, seed=0, background=streets)
    keys = sorted(NAMES)
    replaced = [data[i]['replaced'] for i in range(5 * len(data))]
    assert data.num_broken == 3
    whole = [r for i, r in enumerate(replaced) if keys[i % 6] == 'b/2.jpg']
    assert 0 in whole and max(whole) > 0  # the street alone was broken


def test_missing_background(tree, tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere'):
        PersonImages(tree, BEHIND, background=str(tmp_path / 'nowhere'))


@pytest.mark.skipif(not osp.isdir(REAL), reason='no real photographs here')
def test_real_photographs():
    data = PersonImages(REAL,
                        [dict(type='DecodeImage'),
                         dict(type='PersonCrops')])
    batch = next(iter(DataLoader(data, 8)))
    assert batch['inputs']['scale_2'].shape == (8, 3, 256, 128)
    assert batch['replaced'].sum() == 0


@pytest.mark.parametrize('workers', [0, 2])
def test_samples_are_the_same_with_workers(packed, workers):
    batches = []
    for root in packed:
        data = PersonImages(root, PIPELINE, seed=0)
        batches.append(next(iter(DataLoader(data, 4, num_workers=workers))))
    assert torch.equal(*(b['inputs']['anchor'] for b in batches))
    assert batches[0]['key'] == batches[1]['key']


def test_missing_key_is_replaced_while_training(packed):
    with open(osp.join(packed[1], 'l.txt'), 'w') as file:
        file.write('b.jpg\ngone\n')
    data = PersonImages(dict(data_root=packed[1], ann_file='l.txt'), PIPELINE)
    assert data[1]['key'] == 'b.jpg' and data.num_broken == 1
