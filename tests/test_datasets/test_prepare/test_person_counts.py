import pytest

from saip_mm.datasets.prepare import pack_lmdb
from saip_mm.datasets.prepare.person_counts import (count_luperson,
                                                    count_market1501,
                                                    count_msmt17)
from saip_mm.datasets.sources import build_source
from .._images import write_tree
from ..test_retrieval.test_msmt17 import write as write_msmt17

MARKET = [
    'bounding_box_train/0007_c2s1_000001_00.jpg',
    'bounding_box_train/0002_c1s1_000451_03.jpg',
    'query/0005_c6s3_000451_00.jpg',
    'bounding_box_test/-1_c1s1_000401_03.jpg',
    'bounding_box_test/0000_c1s1_000151_01.jpg',
    'bounding_box_test/0005_c1s3_000451_02.jpg',
]


@pytest.mark.parametrize('read', [False, True])
def test_market1501(tmp_path, read):
    root = write_tree(tmp_path / 'Market-1501-v15.09.15', MARKET)
    for place in (root, str(tmp_path)):
        counted = count_market1501(place, read)
        assert not counted.problems
        assert counted.numbers == {
            'train pictures': 2,
            'train identities': 2,
            'query pictures': 1,
            'query identities': 1,
            'gallery pictures': 2,
            'gallery identities': 2,
            'gallery junk': 1,
            'cameras': 3,
        }


def test_market1501_with_faults(tmp_path):
    root = write_tree(tmp_path, MARKET[:3])
    (tmp_path / MARKET[0]).write_bytes(b'')
    write_tree(tmp_path, ['query/person.jpg'])
    counted = count_market1501(root)
    assert counted.numbers['train pictures'] == 2
    empty, name, missing = counted.problems
    assert MARKET[0] in empty and '(0 bytes)' in empty
    assert "'person.jpg'" in name and 'bounding_box_test' in missing


@pytest.mark.parametrize('version, folders', [
    ('version 1', ('train', 'test')),
    ('version 2, with blurred faces', ('mask_train_v2', 'mask_test_v2')),
])
def test_msmt17(tmp_path, version, folders):
    counted = count_msmt17(write_msmt17(tmp_path, folders), read=True)
    assert not counted.problems and counted.notes == [version]
    assert counted.numbers == {
        'train pictures': 2,
        'val pictures': 2,
        'train identities': 2,
        'query pictures': 1,
        'query identities': 1,
        'gallery pictures': 2,
        'gallery identities': 2,
        'cameras': 7,
    }


def test_msmt17_with_faults(tmp_path):
    root = write_msmt17(tmp_path, ('train', 'mask_test_v2'))
    (tmp_path /
     'mask_test_v2/0000/0000_001_05_0113afternoon_0007_0.jpg').unlink()
    missing, mixed = count_msmt17(root).problems
    assert '1 of 2 gallery pictures' in missing and '_05_' in missing
    assert 'mixes the versions of MSMT17: V1 for train, V2 for' in mixed
    assert len(count_msmt17(f'{root}/nowhere').problems) == 3


@pytest.mark.parametrize('packed', [False, True])
def test_luperson(tmp_path, packed):
    names = ['a/1.jpg', 'a/2.jpg', 'b/3.jpg']
    root = write_tree(tmp_path / 'crops', names)
    if packed:
        pack_lmdb(build_source(root), str(tmp_path / 'lmdb'))
        root = str(tmp_path / 'lmdb')
    counted = count_luperson(root, read=True)
    assert counted.numbers == dict(pictures=3) and not counted.problems
    note, = counted.notes
    assert note.startswith('an LMDB' if packed else 'a folder tree')
    assert note.endswith('a/1.jpg')


def test_luperson_tells_of_what_training_replaces(tmp_path):
    root = write_tree(tmp_path, ['1.jpg', '2.jpg'])
    write_tree(tmp_path, ['wide.jpg'], height=60, width=120)
    (tmp_path / '2.jpg').write_text('no picture')
    counted = count_luperson(root, read=True)
    assert counted.numbers == dict(pictures=3) and not counted.problems
    assert 'broken, first 2.jpg' in counted.notes[1]
    assert 'wider than high' in counted.notes[2]
    (tmp_path / 'empty').mkdir()
    problem, = count_luperson(str(tmp_path / 'empty')).problems
    assert 'holds no image' in problem
