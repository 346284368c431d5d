import os
import os.path as osp
import pickle
import subprocess
import sys

import cv2
import numpy as np
import pytest

from saip_mm.datasets import FolderSource, LmdbSource, pack_lmdb
from saip_mm.datasets.prepare import lmdb_pack
from saip_mm.datasets.prepare.lmdb_pack import shrink_image
from saip_mm.datasets.transforms import BrokenImageError, decode_image
from .._images import encode, photo, write_tree

lmdb = pytest.importorskip('lmdb')
NAMES = ['b/2.jpg', 'a/x y.jpg', 'é.jpg', 'c.jpg']


@pytest.fixture
def packed(tmp_path):
    root = write_tree(tmp_path / 'images', NAMES)
    out = str(tmp_path / 'packed')
    report = pack_lmdb(FolderSource(root), out)
    assert report['packed'] == 4 and report['broken'] == []
    return root, out


def test_the_map_grows(tmp_path, monkeypatch):
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


@pytest.mark.parametrize('shape, shrunk', [
    ((60, 40), None),
    ((48, 20), None),
    ((64, 40), (48, 30)),
    ((40, 64), (30, 48)),
    ((49, 48), (48, 47)),
    ((400, 2), (48, 1)),
])
def test_the_longer_side_is_what_is_limited(shape, shrunk):
    limit = 60 if shape == (60, 40) else 48
    data = encode(photo(*shape))
    small = shrink_image(data, limit)
    if shrunk is None:
        assert small == data
    else:
        assert decode_image(small).shape == (*shrunk, 3)
        assert small[:2] == b'\xff\xd8'


def test_quality_of_a_shrunk_image():
    data = encode(photo(300, 200, seed=3), '.png')
    image = cv2.resize(decode_image(data), (64, 96), interpolation=3)
    sizes = {}
    for quality in (50, 95):
        flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
        sizes[quality] = cv2.imencode('.jpg', image[..., ::-1],
                                      flags)[1].tobytes()
    assert shrink_image(data, 96) == sizes[95] != sizes[50]
    assert shrink_image(data, 96, 50) == sizes[50]
    with pytest.raises(BrokenImageError):
        shrink_image(data[:100], 96)


def test_keys_up_to_lmdbs_limit_are_packed(tmp_path):
    """In bytes: 255 of the 511 are those of accents."""
    name = f'{"é" * 100}/{"é" * 100}/{"x" * 105}.jpg'
    assert len(name.encode()) == 511
    root = write_tree(tmp_path / 'i', [name])
    pack_lmdb(FolderSource(root), str(tmp_path / 'o'))
    assert LmdbSource(str(tmp_path / 'o')).read(name)
    source = FolderSource(root, [name, f'x{name}'])
    with pytest.raises(ValueError, match='512 bytes, LMDB takes 511'):
        pack_lmdb(source, str(tmp_path / 'p'))


def test_long_side_may_be_one_pixel(tmp_path):
    root = write_tree(tmp_path / 'i', ['a.jpg'])
    pack_lmdb(FolderSource(root), str(tmp_path / 'o'), 1)
    data = LmdbSource(str(tmp_path / 'o')).read('a.jpg')
    assert decode_image(data).shape == (1, 1, 3)


def test_what_was_packed_is_counted(tmp_path, monkeypatch):
    """Whole batches, and a rest; the order of LMDB whatever the source's."""
    written, write = [], lmdb_pack._write
    monkeypatch.setattr(lmdb_pack, 'BATCH', 2)
    monkeypatch.setattr(lmdb_pack, '_write',
                        lambda e, r: written.append(len(r)) or write(e, r))
    names = [f'{i}.jpg' for i in (4, 0, 3, 1, 2)]
    folder = FolderSource(write_tree(tmp_path / 'i', names), names + names)
    report = pack_lmdb(folder, str(tmp_path / 'o'))
    size = sum(len(folder.read(name)) for name in names)
    assert report == dict(packed=5, bytes=size, broken=[])
    assert written == [2, 2, 1]
    with open(tmp_path / 'o' / 'keys.pkl', 'rb') as file:
        assert pickle.load(file) == sorted(names)
