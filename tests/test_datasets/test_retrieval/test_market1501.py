import pytest

from mmpretrain.registry import DATASETS
from saip_mm.datasets import MarketDataset
from saip_mm.datasets.retrieval.market1501 import parse_name
from .._images import write_tree

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


def persons(data):
    infos = [data.get_data_info(i) for i in range(len(data))]
    return [(info['pid'], info['camid']) for info in infos]


def test_splits(root):
    train = MarketDataset(root, 'train')
    assert persons(train) == [(2, 0), (7, 1)]
    assert train.metainfo == dict(
        dataset_name='Market1501', num_ids=2, num_cams=2)
    assert persons(MarketDataset(root, 'query')) == [(5, 5)]
    gallery = MarketDataset(root, 'gallery')  # junk out, distractor in
    assert persons(gallery) == [(0, 0), (5, 0)]
    assert gallery.metainfo['num_ids'] == 2


def test_limits_are_settings(root):
    write_tree(f'{root}/query', ['3060_c15s1_1.jpg'])
    data = DATASETS.build(
        dict(
            type='MarketDataset',
            data_root=root,
            split='query',
            max_pid=3060,
            num_cams=15))
    assert persons(data) == [(5, 5), (3060, 14)]


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
    ('0001_c9s1_1.jpg', 'camera 9 .*outside 1..6; own data: set num_cams'),
    ('1502_c1s1_1.jpg', 'identity 1502 .*outside 0..1501; own'),
    ('0000_c1s1_1.jpg', 'only the gallery'),
])
def test_wrong_files(root, name, match):
    write_tree(f'{root}/query', [name])
    with pytest.raises(ValueError, match=match):
        MarketDataset(root, 'query')


def test_a_list_is_not_passed_over(root):
    with pytest.raises(ValueError, match="mine.json' has no use"):
        MarketDataset(root, 'query', ann_file='mine.json')


def test_only_junk(tmp_path):
    write_tree(tmp_path / 'query', ['-1_c1s1_1.jpg'])
    with pytest.raises(ValueError, match='1 files, 1 junk'):
        MarketDataset(str(tmp_path), 'query')


def test_files_of_a_mac_and_others_are_left_out(tmp_path, log):
    write_tree(tmp_path / 'query', ['0002_c1s1.jpg', '0003_c2s1.JPG'])
    for name in ('._0002_c1s1.jpg', 'Thumbs.db', 'notes.txt'):
        (tmp_path / 'query' / name).write_bytes(b'')
    data = MarketDataset(str(tmp_path), 'query')
    assert persons(data) == [(2, 0), (3, 1)]
    assert "2 files of other kinds in '" in log.text
    assert ('Market1501 query: 2 images, 2 identities, 2 cameras; 0 junk '
            'detections left out') in log.text
