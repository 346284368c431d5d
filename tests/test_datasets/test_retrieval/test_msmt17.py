import pytest

from saip_mm.datasets import MSMT17Dataset
from saip_mm.datasets.retrieval.msmt17 import camera_of, read_list
from .._images import write_tree

LISTS = dict(
    train=['0000/0000_000_01_0303morning_0015_0.jpg 0',
           '0001/0001_000_15_0303noon_0001_1_ex.jpg 1'],
    val=['0000/0000_001_02_0303noon_0002_0.jpg 0',
         '0001/0001_001_03_0303noon_0003_0.jpg 1'],
    query=['0000/0000_000_04_0113afternoon_0006_0.jpg 0'],
    gallery=['0000/0000_001_05_0113afternoon_0007_0.jpg 0',
             '0001/0001_000_06_0113afternoon_0008_0.jpg 1'])  # yapf: disable


def write(root, folders=('train', 'test'), **changed):
    lists = {**LISTS, **changed}
    for split, lines in lists.items():
        folder = folders[split in ('query', 'gallery')]
        write_tree(root / folder, [line.split()[0] for line in LISTS[split]])
        (root / f'list_{split}.txt').write_text('\n'.join(lines) + '\n\n')
    return str(root)


@pytest.fixture
def root(tmp_path):
    return write(tmp_path)


def persons(data):
    infos = [data.get_data_info(i) for i in range(len(data))]
    return [(info['gt_label'], info['camid']) for info in infos]


def test_splits(root):
    train = MSMT17Dataset(root)
    assert persons(train) == [(0, 0), (1, 14), (0, 1), (1, 2)]
    assert train.metainfo == dict(dataset_name='MSMT17', num_ids=2, num_cams=4)
    assert persons(MSMT17Dataset(root, 'query')) == [(0, 3)]
    assert persons(MSMT17Dataset(root, 'gallery')) == [(0, 4), (1, 5)]
    assert train[1]['inputs'].shape == (3, 256, 128)


def test_without_the_pictures_to_validate(root):
    assert persons(MSMT17Dataset(root, use_val=False)) == [(0, 0), (1, 14)]


@pytest.mark.parametrize('inner', ['', 'MSMT17_V2'])
def test_version_2(tmp_path, inner, log):
    (tmp_path / inner).mkdir(exist_ok=True)
    write(tmp_path / inner, ('mask_train_v2', 'mask_test_v2'))
    data = MSMT17Dataset(str(tmp_path))
    assert 'mask_train_v2' in data.get_data_info(0)['img_path']
    assert 'version V2 in' in log.text
    with pytest.raises(FileNotFoundError, match="MSMT17: folder '.*/train'"):
        MSMT17Dataset(str(tmp_path), version='V1')


def test_version_1_comes_first(tmp_path):
    write(tmp_path, ('mask_train_v2', 'mask_test_v2'))
    root = write(tmp_path)
    first = MSMT17Dataset(root).get_data_info(0)['img_path']
    assert first.startswith(f'{root}/train/')
    second = MSMT17Dataset(root, version='V2').get_data_info(0)['img_path']
    assert '/mask_train_v2/' in second


def test_renamed_like_market(tmp_path):
    write_tree(tmp_path, ['bounding_box_train/0000_c15_1.jpg'])
    data = MSMT17Dataset(str(tmp_path), layout='market')
    assert persons(data) == [(0, 14)]
    with pytest.raises(FileNotFoundError, match="MSMT17: folder '.*query'"):
        MSMT17Dataset(str(tmp_path), 'query', layout='market')


@pytest.mark.parametrize('lines, match', [
    (['0000/0000_000_01_a.jpg 0', '', '0001.jpg'
      ], r"list_train.txt line 3: expected '<path> <id>', got '0001.jpg'"),
    (['0000/0000_000_01_a.jpg zero'], 'list_train.txt line 1'),
    (['a_0_01.jpg 0', 'a_0_01.jpg 3'
      ], r'identities are not 0..N-1 \(missing: 1, 2\)'),
    (['a_0_01.jpg -1', 'a_0_01.jpg 0'], 'some are negative'),
    ([], 'no usable images'),
])
def test_wrong_lists(tmp_path, lines, match):
    root = write(tmp_path, train=lines)
    with pytest.raises(ValueError, match=match):
        MSMT17Dataset(root, use_val=False, check_files=False)


def test_gaps_are_named_by_the_first(tmp_path):
    path = tmp_path / 'list_train.txt'
    path.write_text('a_0_01.jpg 9\n')
    with pytest.raises(ValueError, match='missing: 0, 1, 2, 3, 4, ...'):
        read_list(str(path))


def test_names_without_a_camera():
    assert camera_of('1/0001_002_03_x_ex.jpg') == 3
    for name in ('0001.jpg', '0001_000_x_1.jpg'):
        with pytest.raises(ValueError, match=f"camera from '{name}'"):
            camera_of(name)


def test_camera_out_of_range(tmp_path):
    root = write(tmp_path, query=['0000/0000_000_16_x_0.jpg 0'])
    with pytest.raises(ValueError, match='camera 16 .*outside 1..15'):
        MSMT17Dataset(root, 'query', check_files=False)


def test_listed_picture_missing(root):
    import os
    os.remove(f'{root}/train/{LISTS["train"][1].split()[0]}')
    with pytest.raises(
            FileNotFoundError,
            match='_15_.*list_train.txt line 2 .*check_data.py msmt17'):
        MSMT17Dataset(root)
    data = MSMT17Dataset(root, check_files=False)
    with pytest.raises(FileNotFoundError, match='0001_000_15'):
        data[1]


def test_missing_parts(tmp_path, root):
    with pytest.raises(FileNotFoundError, match='Expected layout: train/ and'):
        MSMT17Dataset(f'{root}/elsewhere')
    (tmp_path / 'list_query.txt').unlink()
    with pytest.raises(FileNotFoundError, match='list_query.txt.*layout'):
        MSMT17Dataset(root, 'query')


@pytest.mark.parametrize('setting, match', [
    (dict(version='V3'), "version must be one of V1, V2 or None, got 'V3'"),
    (dict(layout='coco'), "layout must be 'lists' or 'market'"),
    (dict(ann_file='mine.json'), "mine.json' has no use"),
])
def test_wrong_settings(root, setting, match):
    with pytest.raises(ValueError, match=match):
        MSMT17Dataset(root, **setting)
