import os
import os.path as osp
import pickle
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from saip_mm.datasets import FolderSource, LmdbSource, PersonImages, pack_lmdb
from saip_mm.datasets.transforms import decode_image
from ._images import write_tree

lmdb = pytest.importorskip('lmdb')
NAMES = ['b/2.jpg', 'a/x y.jpg', 'é.jpg', 'c.jpg']
PIPELINE = [
    dict(type='DecodeImage'),
    dict(
        type='PersonCrops',
        size=(32, 16),
        background_size=None,
        num_scales=0,
        num_locals=0)
]


@pytest.fixture
def packed(tmp_path):
    root = write_tree(tmp_path / 'images', NAMES)
    out = str(tmp_path / 'packed')
    report = pack_lmdb(FolderSource(root), out)
    assert report['packed'] == 4 and report['broken'] == []
    return root, out


def test_lmdb_and_folder_give_the_same(packed):
    root, out = packed
    folder, database = FolderSource(root), LmdbSource(out)
    assert list(folder.keys) == list(database.keys) == sorted(NAMES)
    for key in NAMES:
        assert folder.read(key) == database.read(key)


@pytest.mark.parametrize('workers', [0, 2])
def test_samples_are_the_same_with_workers(packed, workers):
    batches = []
    for root in packed:
        data = PersonImages(root, PIPELINE, seed=0)
        batches.append(next(iter(DataLoader(data, 4, num_workers=workers))))
    assert torch.equal(*(b['inputs']['anchor'] for b in batches))
    assert batches[0]['key'] == batches[1]['key']


def test_both_forms_of_keys_pkl_and_none(packed):
    out = packed[1]
    path = osp.join(out, 'keys.pkl')
    for content in (NAMES, dict(keys=NAMES, pids=[0] * 4)):
        with open(path, 'wb') as file:
            pickle.dump(content, file)
        for root in (out, osp.join(out, 'lmdb')):
            assert list(LmdbSource(root).keys) == NAMES
    os.remove(path)
    assert list(LmdbSource(out).keys) == sorted(NAMES)


def test_list_beside_an_lmdb(packed):
    with open(osp.join(packed[1], 'two.txt'), 'w') as file:
        file.write('c.jpg\nb/2.jpg\n')
    data = PersonImages(
        dict(data_root=packed[1], ann_file='two.txt'), PIPELINE)
    assert [s['key'] for s in data] == ['c.jpg', 'b/2.jpg']


def test_missing_key_is_named(packed):
    with pytest.raises(FileNotFoundError, match="lmdb' has no key 'gone'"):
        LmdbSource(packed[1]).read('gone')


def test_missing_key_is_replaced_while_training(packed):
    with open(osp.join(packed[1], 'l.txt'), 'w') as file:
        file.write('c.jpg\ngone\n')
    data = PersonImages(dict(data_root=packed[1], ann_file='l.txt'), PIPELINE)
    assert data[1]['key'] == 'c.jpg' and data.num_broken == 1


def test_no_database(tmp_path):
    with pytest.raises(FileNotFoundError, match='no data.mdb'):
        LmdbSource(str(tmp_path))


def test_the_map_grows(tmp_path, monkeypatch):
    from saip_mm.datasets.prepare import lmdb_pack
    root = write_tree(
        tmp_path / 'i', [f'{i}.jpg' for i in range(30)], height=300, width=200)
    opened = lmdb.open

    def small(path, map_size, **kwargs):
        return opened(path, map_size=1 << 16, **kwargs)

    monkeypatch.setattr(lmdb, 'open', small)
    monkeypatch.setattr(lmdb_pack, 'BATCH', 7)
    pack_lmdb(FolderSource(root), str(tmp_path / 'o'))
    monkeypatch.setattr(lmdb, 'open', opened)
    source = LmdbSource(str(tmp_path / 'o'))
    assert len(source.keys) == 30
    assert all(
        decode_image(source.read(k)).shape[0] == 300 for k in source.keys)


def test_long_side_shrinks_only_larger_images(tmp_path):
    root = write_tree(tmp_path / 'i', ['s.jpg'])
    write_tree(tmp_path / 'i', ['l.jpg'], height=600, width=301)
    folder = FolderSource(root)
    pack_lmdb(folder, str(tmp_path / 'o'), long_side=384)
    source = LmdbSource(str(tmp_path / 'o'))
    assert source.read('s.jpg') == folder.read('s.jpg')
    small = decode_image(source.read('l.jpg')).astype(float)
    assert small.shape == (384, 193, 3)
    large = decode_image(folder.read('l.jpg'))
    large = cv2.resize(large, (193, 384), interpolation=cv2.INTER_AREA)
    assert np.abs(small - large).mean() < 2  # colours in their channels


def test_broken_images_are_left_out_of_a_shrunk_pack(tmp_path):
    root = write_tree(tmp_path / 'i', ['a.jpg'])
    (tmp_path / 'i' / 'b.jpg').write_text('text')
    report = pack_lmdb(FolderSource(root), str(tmp_path / 'o'), 64)
    assert report['packed'] == 1
    assert report['broken'][0].startswith('b.jpg: ')


def test_errors_of_packing(packed, tmp_path):
    root, out = packed
    with pytest.raises(FileExistsError, match='packed'):
        pack_lmdb(FolderSource(root), out)
    source = FolderSource(root, ['x' * 600])
    with pytest.raises(ValueError, match='600 bytes, LMDB takes 511'):
        pack_lmdb(source, str(tmp_path / 'o'))
    with pytest.raises(ValueError, match='no image of .* gone'):
        pack_lmdb(FolderSource(root, ['gone']), str(tmp_path / 'o'))
    assert not osp.exists(tmp_path / 'o')


def test_nothing_of_the_users_is_removed(tmp_path):
    root = write_tree(tmp_path / 'i', ['a.jpg'])
    for name in ('o.part', '.o.partial', 'o.partial', 'o.tmp'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'mine').write_text('mine')
    pack_lmdb(FolderSource(root), str(tmp_path / 'o'))
    for name in ('o.part', '.o.partial', 'o.partial', 'o.tmp'):
        assert (tmp_path / name / 'mine').read_text() == 'mine'
    assert len(list(tmp_path.iterdir())) == 6


@pytest.mark.parametrize('kind', ['file', 'folder', 'link'])
def test_what_is_there_already_is_kept(tmp_path, kind):
    root, out = write_tree(tmp_path / 'i', ['a.jpg']), tmp_path / 'o'
    if kind == 'file':
        out.write_text('mine')
    elif kind == 'folder':
        out.mkdir()
    else:
        out.symlink_to('gone')
    with pytest.raises(FileExistsError, match="o' exists; remove it or"):
        pack_lmdb(FolderSource(root), str(out))
    assert sorted(p.name for p in tmp_path.iterdir()) == ['i', 'o']


def test_a_whole_pack_is_kept_when_its_name_is_taken(tmp_path, monkeypatch):
    from saip_mm.datasets.prepare import lmdb_pack
    root, out = write_tree(tmp_path / 'i', ['a.jpg']), tmp_path / 'o'
    packing = lmdb_pack._pack

    def meanwhile(*args):
        out.mkdir()
        return packing(*args)

    monkeypatch.setattr(lmdb_pack, '_pack', meanwhile)
    with pytest.raises(
            FileExistsError, match="the pack is whole and is kept "
            "in '(.*)'") as error:
        pack_lmdb(FolderSource(root), str(out))
    part = str(error.value).rsplit("'", 2)[1]
    assert list(LmdbSource(part).keys) == ['a.jpg']


FULL = '''
import resource, signal, sys
from saip_mm.datasets import FolderSource, pack_lmdb
source = FolderSource(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    pack_lmdb(source, sys.argv[2])
except OSError as error:
    print(error)
'''
KILLED = '''
import os, signal, sys
from saip_mm.datasets import FolderSource, pack_lmdb
from saip_mm.datasets.prepare import lmdb_pack
lmdb_pack.write_file = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
pack_lmdb(FolderSource(sys.argv[1]), sys.argv[2])
'''


def in_process(code, *args):
    return subprocess.run([sys.executable, '-c', code, *map(str, args)],
                          text=True,
                          capture_output=True)


@pytest.mark.slow
def test_a_full_disk_is_named_and_nothing_is_left(tmp_path):
    """As far as LMDB is concerned: its file may not grow any more."""
    root = write_tree(
        tmp_path / 'i', [f'{i}.jpg' for i in range(60)], height=300, width=200)
    done = in_process(FULL, root, tmp_path / 'o')
    assert f"cannot write '{tmp_path / 'o'}' (LMDB: " in done.stdout
    assert 'nothing of it is kept; make room there' in done.stdout
    assert [p.name for p in tmp_path.iterdir()] == ['i']


@pytest.mark.slow
def test_what_a_killed_process_left_is_removed(tmp_path):
    root, out = write_tree(tmp_path / 'i', ['a.jpg']), tmp_path / 'o'
    assert in_process(KILLED, root, out).returncode == -9
    left = [p.name for p in tmp_path.iterdir() if p.name != 'i']
    assert len(left) == 1 and left[0].startswith('.o.')
    pack_lmdb(FolderSource(root), str(out))
    assert sorted(p.name for p in tmp_path.iterdir()) == ['i', 'o']


def test_keys_of_any_bytes_are_packed_in_lmdbs_order(tmp_path):
    """Bytes that are no UTF-8 sort otherwise as Python's strings."""
    names = [b'\x80.jpg', 'é.jpg'.encode(), '😀.jpg'.encode(), b'\xff.jpg']
    names = [os.fsdecode(name) for name in names]
    root = write_tree(tmp_path / 'i', names)
    report = pack_lmdb(FolderSource(root), str(tmp_path / 'o'))
    source = LmdbSource(str(tmp_path / 'o'))
    assert report['packed'] == 4 and set(source.keys) == set(names)
    for name in names:
        assert source.read(name) == FolderSource(root).read(name)


def test_large_images_do_not_wait_in_memory(tmp_path, monkeypatch):
    from saip_mm.datasets.prepare import lmdb_pack
    written, write = [], lmdb_pack._write
    monkeypatch.setattr(lmdb_pack, 'BATCH_BYTES', 10_000)
    monkeypatch.setattr(lmdb_pack, '_write',
                        lambda e, r: written.append(len(r)) or write(e, r))
    root = write_tree(
        tmp_path / 'i', [f'{i}.jpg' for i in range(9)], height=300, width=200)
    assert pack_lmdb(FolderSource(root), str(tmp_path / 'o'))['packed'] == 9
    assert max(written) < 9


def test_empty_files_are_left_out(tmp_path):
    root = write_tree(tmp_path / 'i', ['a.jpg'])
    (tmp_path / 'i/b.jpg').write_bytes(b'')
    report = pack_lmdb(FolderSource(root), str(tmp_path / 'o'))
    assert report['broken'] == ['b.jpg: the file is empty']
    assert list(LmdbSource(str(tmp_path / 'o')).keys) == ['a.jpg']


def test_bad_long_side(tmp_path):
    root = write_tree(tmp_path / 'i', ['a.jpg'])
    with pytest.raises(ValueError, match='long_side must be at least 1'):
        pack_lmdb(FolderSource(root), str(tmp_path / 'o'), 0)
