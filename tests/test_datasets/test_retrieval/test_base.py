import json
import pickle
import random

import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset, pseudo_collate
from torch.utils.data import DataLoader

from mmpretrain.registry import DATASETS
from mmpretrain.structures import DataSample
from saip_mm.datasets import PersonRetrievalDataset
from ...test_weights.payloads import foreign_code
from .._images import write_tree

ENTRIES = [(9, 3), (4, 0), (-1, 1), (9, 1), (6, 0)]


class Persons(PersonRetrievalDataset):
    """A reader as short as they come."""
    MAX_PID = 9

    def load_data_list(self):
        return [
            dict(
                img_path=f'{self.data_root}/{i}.jpg',
                pid=pid,
                camid=cam,
                place=f'street {i}') for i, (pid, cam) in enumerate(ENTRIES)
        ]


@pytest.fixture
def root(tmp_path):
    return write_tree(tmp_path, [f'{i}.jpg' for i in range(len(ENTRIES))])


def column(data, key):
    return [data.get_data_info(i)[key] for i in range(len(data))]


def test_training_labels_are_the_sorted_identities(root):
    data = Persons(root)
    assert column(data, 'pid') == [9, 4, 9, 6]  # junk is out
    assert column(data, 'gt_label') == [2, 0, 2, 1]
    assert data.get_gt_labels().tolist() == [2, 0, 2, 1]
    assert data.metainfo['num_ids'] == 3 and data.metainfo['num_cams'] == 3
    assert column(data, 'place')[2] == 'street 3'
    assert not any(column(data, 'is_query'))


@pytest.mark.parametrize('split', ['query', 'gallery'])
def test_other_splits_keep_the_raw_identity(root, split):
    data = Persons(root, split)
    assert column(data, 'gt_label') == [9, 4, 9, 6]
    assert column(data, 'is_query') == [split == 'query'] * 4


@pytest.mark.parametrize('test_mode', [False, True])
def test_a_sample_says_who_it_is(root, test_mode):
    sample = Persons(root, test_mode=test_mode)[2]
    assert sorted(sample) == ['data_samples', 'inputs']
    assert sample['inputs'].shape == (3, 256, 128)
    assert sample['inputs'].dtype == torch.uint8
    who = sample['data_samples']
    assert isinstance(who, DataSample)
    assert (who.pid, who.camid, who.is_query, who.sample_idx) == \
        (9, 1, False, 2)
    assert who.img_path.endswith('/3.jpg')
    assert who.gt_label.tolist() == [2]


RESIZE = [
    dict(type='DecodeImage'),
    dict(type='ResizePerson', size=(64, 32)),
]
META = ('pid', 'camid', 'is_query', 'img_path')


@pytest.mark.parametrize(
    'pipeline', [
        RESIZE,
        [*RESIZE, dict(type='PackPerson')],
        [*RESIZE,
         dict(type='PackInputs', input_key='inputs', meta_keys=META)],
        [
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(32, 64)),
            dict(type='PackPerson', input_key='img')
        ],
    ],
    ids=['unpacked', 'ours', 'upstream', 'mmpretrain'])
def test_pipelines(root, pipeline):
    sample = Persons(root, 'query', pipeline)[0]
    assert sorted(sample) == ['data_samples', 'inputs']
    assert sample['inputs'].shape == (3, 64, 32)
    assert sample['inputs'].dtype == torch.uint8
    who = sample['data_samples']
    assert (who.pid, who.camid, who.is_query) == (9, 3, True)
    assert who.gt_label.tolist() == [9]


def test_a_pipeline_without_a_picture_is_an_error(root):
    with pytest.raises(ValueError, match=r"misses \['inputs'\] .*input_key"):
        Persons(root, pipeline=[dict(type='LoadImageFromFile')])[0]


def test_batches_of_workers(root):
    data = Persons(root)
    loader = DataLoader(data, 3, num_workers=1, collate_fn=pseudo_collate)
    first, last = loader
    assert [s.pid for s in first['data_samples']] == [9, 4, 9]
    assert [len(b['inputs']) for b in (first, last)] == [3, 1]
    assert torch.equal(first['inputs'][1], data[1]['inputs'])


@pytest.mark.parametrize('serialize_data', [False, True])
def test_parts_keep_the_labels_of_the_whole(root, serialize_data):
    settings = dict(serialize_data=serialize_data)
    data = Persons(root, indices=[2, 3], **settings)
    assert column(data, 'gt_label') == [2, 1]
    assert data.metainfo['num_ids'] == 3
    part = Persons(root, **settings).get_subset([0, 3])
    assert column(part, 'gt_label') == [2, 1]
    assert part[1]['data_samples'].pid == 6
    part = pickle.loads(pickle.dumps(part))
    assert part[0]['data_samples'].camid == 3


def test_lazy_init_reads_nothing():
    data = DATASETS.build(
        dict(type='MarketDataset', data_root='nowhere', lazy_init=True))
    assert data.metainfo == dict(dataset_name='Market1501')
    assert 'not loaded' in repr(data)
    with pytest.raises(FileNotFoundError, match='nowhere/bounding_box_train'):
        len(data)


def test_lazy_init_catches_up(root):
    data = Persons(root, lazy_init=True)
    data.full_init()
    assert len(data) == 4 and data.metainfo['num_ids'] == 3
    assert 'Identities: \t3' in repr(data)


def test_query_and_gallery_in_one_set(root):
    """What a test loop runs over; is_query tells them apart."""
    both = ConcatDataset(
        [Persons(root, split) for split in ('query', 'gallery')],
        ignore_keys=['num_ids', 'num_cams'])
    flags = [both[i]['data_samples'].is_query for i in range(len(both))]
    assert flags == [True] * 4 + [False] * 4


def test_unreadable_image_is_an_error(root):
    with open(f'{root}/1.jpg', 'w') as file:
        file.write('text')
    with pytest.raises(OSError, match="cannot decode '.*/1.jpg': 4 bytes"):
        Persons(root)[1]


def test_missing_image_is_an_error(root):
    data = Persons(root + '/elsewhere')
    with pytest.raises(FileNotFoundError, match='elsewhere/0.jpg'):
        data[0]


@pytest.mark.parametrize('test_mode', [False, True])
def test_no_image_is_replaced(root, test_mode):
    """mmengine's data sets draw another one where a pipeline gives None."""
    data = Persons(root, pipeline=[lambda info: None], test_mode=test_mode)
    with pytest.raises(ValueError, match='nothing for .*3.jpg.*ignore_empty'):
        data[2]


@pytest.mark.parametrize('entry, match', [
    (dict(pid='4', camid=0), "a.jpg': pid must be an integer, got '4'"),
    (dict(pid=4), "a.jpg': camid must be an integer, got None"),
    (dict(pid=-2, camid=0), 'identity -2 .*outside 0..9; own data: set max'),
    (dict(pid=10, camid=0), 'identity 10 .*outside 0..9'),
    (dict(pid=4, camid=-1), 'camera 0 .*outside 1..inf'),
    (dict(pid=-1, camid=0), r'no usable images .*\(1 files, 1 junk\)'),
])
def test_wrong_entries(monkeypatch, entry, match):
    entries = [dict(img_path='a.jpg', **entry)]
    monkeypatch.setattr(Persons, 'load_data_list', lambda self: entries)
    with pytest.raises(ValueError, match=match):
        Persons()


def test_identity_0_is_a_person_where_no_set_says_otherwise(monkeypatch):
    entries = [dict(img_path='a.jpg', pid=0, camid=0)]
    monkeypatch.setattr(Persons, 'load_data_list', lambda self: entries)
    assert column(Persons(), 'gt_label') == [0]


def test_a_list_needs_no_reader(root):
    entries = [
        dict(img_path=f'{i}.jpg', pid=pid, camid=cam)
        for i, (pid, cam) in enumerate(ENTRIES)
    ]
    meta = dict(dataset_name='ours')
    with open(f'{root}/train.json', 'w') as file:
        json.dump(dict(metainfo=meta, data_list=entries), file)
    data = DATASETS.build(
        dict(
            type='PersonRetrievalDataset',
            data_root=root,
            ann_file='train.json'))
    assert column(data, 'gt_label') == [2, 0, 2, 1]
    assert data.metainfo == dict(dataset_name='ours', num_ids=3, num_cams=3)
    assert data[3]['data_samples'].img_path == f'{root}/4.jpg'
    with pytest.raises(ValueError, match='no reader of its own: set ann_file'):
        PersonRetrievalDataset(root)


def test_a_list_that_is_a_pickle_is_not_opened(tmp_path):
    marker = tmp_path / 'ran'
    for name, payload in foreign_code(marker).items():
        path = tmp_path / 'train.pkl'
        path.write_bytes(pickle.dumps(dict(metainfo={}, data_list=[payload])))
        with pytest.raises(ValueError, match="train.pkl' must be .*json"):
            PersonRetrievalDataset(str(tmp_path), ann_file='train.pkl')
        assert not marker.exists(), name


class Draw:
    """A transform that draws from all three generators."""

    def __call__(self, results):
        drawn = [random.random(), np.random.rand(), float(torch.rand(()))]
        image = np.zeros((8, 4, 3), np.float32)
        image[0, 0] = drawn
        return dict(results, img=image)


def test_draws_follow_from_seed_epoch_and_picture(root):
    pipeline = [Draw(), dict(type='PackPerson', input_key='img')]
    one, two = Persons(
        root, pipeline=pipeline), Persons(
            root, pipeline=pipeline)

    def drawn(data, index):
        return data[index]['inputs'][:, 0, 0].tolist()

    one.seed = two.seed = 5
    first = [drawn(one, i) for i in range(4)]
    assert [drawn(two, i) for i in (3, 1)] == [first[3], first[1]]
    later = [drawn(one, 2 * len(one) + i) for i in range(4)]
    assert later != first and drawn(two, 2 * len(one) + 3) == later[3]
    assert one[2 * len(one) + 3]['data_samples'].sample_idx == 3
    assert len(list(one)) == 4
    two.seed = 6
    assert drawn(two, 3) != first[3]
