import pytest

from mmpretrain.registry import DATASETS
from .._images import write_tree
from .test_market1501 import FILES

PIPELINE = [
    dict(type='DecodeImage'),
    dict(type='ResizePerson', size=(64, 32)),
    dict(type='PackPerson'),
]


def build(root, **settings):
    return DATASETS.build(
        dict(
            type='QueryAndGallery',
            reader='MarketDataset',
            data_root=str(root),
            pipeline=PIPELINE,
            **settings))


def test_queries_come_first(tmp_path):
    both = build(write_tree(tmp_path, FILES))
    who = [both[i]['data_samples'] for i in range(len(both))]
    assert [w.is_query for w in who] == [True, False, False]
    assert [w.pid for w in who] == [5, 0, 5]
    assert both.metainfo['dataset_name'] == 'Market1501'


def test_settings_reach_both(tmp_path):
    root = write_tree(tmp_path, FILES)
    with pytest.raises(ValueError, match='outside 1..5'):
        build(root, num_cams=5)


def test_lazy_init_reads_nothing():
    both = build('nowhere', lazy_init=True)
    with pytest.raises(FileNotFoundError, match='nowhere/query'):
        both.full_init()
