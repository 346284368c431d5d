import pytest
import torch
from torch.utils.data import DataLoader

from mmpretrain.registry import DATASETS
from saip_mm.datasets import MarketDataset
from saip_mm.datasets.market1501 import parse_name
from ._images import write_tree

FILES = [
    'bounding_box_train/0007_c2s1_000001_00.jpg',
    'bounding_box_train/0002_c1s1_000451_03.jpg',
    'query/0005_c6s3_000451_00.jpg',
    'bounding_box_test/-1_c1s1_000401_03.jpg',
    'bounding_box_test/0000_c1s1_000151_01.jpg',
    'bounding_box_test/0005_c1s3_000451_02.jpg',
]


@pytest.fixture
def root(tmp_path):
    # The folder's own name looks like an identity: only base names count.
    root = write_tree(tmp_path / '0099_c3' / 'market', FILES)
    for folder in ('query', 'bounding_box_test'):
        open(f'{root}/{folder}/Thumbs.db', 'w').close()
    return root


def test_splits(root):
    train = MarketDataset(root, 'train')
    assert [(r.pid, r.camid) for r in train.records] == [(2, 0), (7, 1)]
    assert train.metainfo['num_ids'] == train.metainfo['num_cams'] == 2
    query = MarketDataset(root, 'query')
    assert [(r.pid, r.camid) for r in query.records] == [(5, 5)]
    gallery = MarketDataset(root, 'gallery')  # junk out, distractor in
    assert [(r.pid, r.camid) for r in gallery.records] == [(0, 0), (5, 0)]


def test_items_collate(root):
    data = DATASETS.build(
        dict(type='MarketDataset', data_root=root, split='gallery'))
    batch = next(iter(DataLoader(data, 2)))
    assert batch['inputs'].shape == (2, 3, 256, 128)
    assert batch['inputs'].dtype == torch.uint8
    assert batch['pid'].tolist() == [0, 5]
    assert batch['camid'].tolist() == [0, 0]


def test_size_is_a_setting(root):
    pipeline = [
        dict(type='DecodeImage'),
        dict(type='ResizePerson', size=(64, 32))
    ]
    item = MarketDataset(root, 'query', pipeline)[0]
    assert item['inputs'].shape == (3, 64, 32)


def test_archive_folder_is_found(tmp_path):
    write_tree(tmp_path / 'Market-1501-v15.09.15', FILES)
    assert len(MarketDataset(str(tmp_path), 'query')) == 1


def test_names():
    assert parse_name('1501_c6s1_1.jpg') == (1501, 6)
    with pytest.raises(ValueError, match="camera from 'x.jpg'"):
        parse_name('x.jpg')


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="query' not found. Expected"):
        MarketDataset(str(tmp_path), 'query')


def test_unknown_split(root):
    with pytest.raises(ValueError, match="got 'test'"):
        MarketDataset(root, 'test')


@pytest.mark.parametrize('name,match', [
    ('holiday.jpg', 'holiday.jpg.*1 names'),
    ('0001_c9s1_1.jpg', 'camera 9 .*outside 1..6'),
    ('1502_c1s1_1.jpg', 'identity 1502 .*outside 0..1501'),
    ('0000_c1s1_1.jpg', 'only the gallery'),
])
def test_wrong_files(root, name, match):
    write_tree(f'{root}/query', [name])
    with pytest.raises(ValueError, match=match):
        MarketDataset(root, 'query')


def test_only_junk(tmp_path):
    write_tree(tmp_path / 'query', ['-1_c1s1_1.jpg'])
    with pytest.raises(ValueError, match='1 files, 1 junk'):
        MarketDataset(str(tmp_path), 'query')


def test_unreadable_image_is_an_error(root):
    path = f'{root}/query/0005_c6s3_000451_00.jpg'
    with open(path, 'w') as file:
        file.write('text')
    with pytest.raises(OSError, match='cannot decode .*0005_c6s3'):
        MarketDataset(root, 'query')[0]


def test_files_of_a_mac_and_others_are_left_out(tmp_path, monkeypatch):
    from saip_mm.datasets import market1501
    said = []
    monkeypatch.setattr(market1501, 'print_log', said.append)
    root = write_tree(tmp_path / 'query', ['0002_c1s1.jpg', '0003_c2s1.JPG'])
    for name in ('._0002_c1s1.jpg', 'Thumbs.db', 'notes.txt'):
        (tmp_path / 'query' / name).write_bytes(b'')
    data = MarketDataset(str(tmp_path), 'query')
    assert [r.pid for r in data.records] == [2, 3] and root
    assert '2 images, 0 junk detections and 2 files of other kinds' in said[0]
