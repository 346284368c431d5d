import json
import os
import signal
import tarfile
from urllib.parse import unquote

import pytest

from saip_mm.datasets import (FolderSource, ShardSource, index_shards,
                              pack_shards)
from saip_mm.datasets.prepare import shard_pack
from saip_mm.datasets.prepare.shard_pack import member_name
from ...web import serving
from .._images import encode, photo, write_tree
from ..shards import write_shards, write_tar

webdataset = pytest.importorskip('webdataset')
NAMES = ['b/2.jpg', 'a/x y.jpg', 'é.jpg', 'c.d.jpg', 'c.d.png', 'e.JPG']


@pytest.fixture
def folder(tmp_path):
    return FolderSource(write_tree(tmp_path / 'images', NAMES))


def contents(source):
    return sorted(source.read(key) for key in source.keys)


@pytest.mark.parametrize('seed', [0, None])
def test_pictures_come_back(folder, tmp_path, seed):
    out = str(tmp_path / 'packed')
    report = pack_shards(folder, out, count=4, seed=seed)
    assert report['packed'] == 6 and report['shards'] == 2
    assert report['broken'] == []
    assert sorted(
        os.listdir(out)) == ['000000.tar', '000001.tar', 'shards.json']
    packed = ShardSource(out)
    assert contents(packed) == contents(folder)
    in_order = [folder.read(key) for key in folder.keys]
    got = [ShardSource(out).read(key) for key in packed.keys]
    assert (got == in_order) is (seed is None)


def test_webdataset_itself_reads_them(folder, tmp_path):
    out = tmp_path / 'packed'
    pack_shards(folder, str(out), count=4)
    shards = sorted(str(path) for path in out.glob('*.tar'))
    samples = list(webdataset.WebDataset(shards, shardshuffle=False))
    pictures = [
        value for sample in samples for key, value in sample.items()
        if not key.startswith('__')
    ]
    assert sorted(pictures) == contents(folder)


def test_packing_twice_makes_the_same_bytes(folder, tmp_path):
    for out in 'ab':
        pack_shards(folder, str(tmp_path / out), count=4)
    for name in os.listdir(tmp_path / 'a'):
        assert (tmp_path / 'a' / name).read_bytes() == (tmp_path / 'b' /
                                                        name).read_bytes()


@pytest.mark.parametrize('key', [
    'a/b.jpg', 'a.b/c.d.png', '../x.jpg', '/abs/x.jpg', 'a/../b.jpg',
    './a.jpg', '__MACOSX__/a.jpg', 'x%y\n.jpg', 'noext', 'é/ü.webp',
    'a/.hidden.jpg', 'x' * 300 + '.jpg', '\udcff.jpg'
])
def test_names_are_those_of_one_sample_and_lead_nowhere_else(key, tmp_path):
    sample, suffix = member_name(key)
    assert webdataset.tariterators.base_plus_ext(f'{sample}.{suffix}') == (
        sample, suffix)
    assert not sample.startswith(('/', '__'))
    assert not {'..', '.'} & set(sample.split('/'))
    assert unquote(
        sample, errors='surrogateescape') == os.path.splitext(
            key)[0] if '.' in key else key

    class One(FolderSource):

        def __init__(self):
            self.root, self.keys = 'one', [key]

        def read(self, key):
            return b'picture'

    out = str(tmp_path / 'o')
    assert pack_shards(One(), out)['packed'] == 1
    assert ShardSource(out).read('000000.tar#0') == b'picture'


def test_shards_are_full_by_bytes_too(folder, tmp_path):
    report = pack_shards(folder, str(tmp_path / 'o'), megabytes=1)
    assert report['shards'] == 1
    big = [f'{i}.jpg' for i in range(4)]
    source = FolderSource(
        write_tree(tmp_path / 'big', big, height=1500, width=1500))
    out = tmp_path / 'p'
    size = max(len(source.read(key)) for key in source.keys)
    report = pack_shards(source, str(out), megabytes=1)
    assert report['shards'] == -(-4 // -(-2**20 // size))


def test_broken_and_empty_pictures_are_left_out(folder, tmp_path):
    (tmp_path / 'images/c.d.jpg').write_text('text')
    (tmp_path / 'images/e.JPG').write_bytes(b'')
    report = pack_shards(folder, str(tmp_path / 'o'), long_side=64)
    assert report['packed'] == 4 and len(report['broken']) == 2
    assert len(ShardSource(str(tmp_path / 'o')).keys) == 4


def test_errors(folder, tmp_path):
    out = str(tmp_path / 'o')
    for name in ('count', 'megabytes', 'long_side'):
        with pytest.raises(ValueError, match=f'{name} must be at least 1'):
            pack_shards(folder, out, **{name: 0})
    folder.keys = ['gone.jpg']
    with pytest.raises(ValueError, match='no image of .* gone.jpg'):
        pack_shards(folder, out)
    assert os.listdir(tmp_path) == ['images']
    (tmp_path / 'o').mkdir()
    with pytest.raises(FileExistsError, match="o' exists; remove it"):
        pack_shards(folder, out)


def test_shards_are_packed_again_in_their_order(tmp_path):
    root = write_shards(tmp_path / 's', [3, 4])
    with serving(root) as server:
        source = ShardSource(server.address)
        with pytest.raises(ValueError, match='--in-order'):
            pack_shards(source, str(tmp_path / 'o'))
        pack_shards(source, str(tmp_path / 'o'), count=2, seed=None)
        assert len(server.asked) == 3
    assert contents(ShardSource(str(tmp_path / 'o'))) == contents(
        ShardSource(root))


def test_a_full_disk_leaves_nothing(folder, tmp_path, monkeypatch):

    def full(self, name):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(shard_pack._Shards, '_full', full)
    with pytest.raises(OSError, match="cannot write .*o' .*nothing of it is"):
        pack_shards(folder, str(tmp_path / 'o'))
    assert os.listdir(tmp_path) == ['images']


def test_a_killed_packing_leaves_nothing_under_the_name(folder, tmp_path):
    out, pid = str(tmp_path / 'o'), os.fork()
    if not pid:
        try:
            shard_pack._write_index = lambda *a: os.kill(
                os.getpid(), signal.SIGKILL)
            pack_shards(folder, out)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    left = [n for n in os.listdir(tmp_path) if n != 'images']
    assert len(left) == 1 and left[0].startswith('.o.')
    pack_shards(folder, out)
    assert sorted(os.listdir(tmp_path)) == ['images', 'o']


def test_shards_of_others_are_counted(tmp_path):
    picture = encode(photo())
    write_tar(tmp_path / 's/x/b.tar', [('1.jpg', picture), ('1.json', b'{}'),
                                       ('2.txt', b''), ('3.png', picture)])
    write_tar(tmp_path / 's/a.tar', [('1.jpg', picture)])
    write_tar(tmp_path / 's/none.tar', [('1.txt', b'')])
    (tmp_path / 's/bad.tar').write_text('no tar file' * 99)
    report = index_shards(str(tmp_path / 's'))
    assert report['packed'] == 3 and report['shards'] == 2
    assert ['bad.tar' in b or 'none.tar' in b
            for b in report['broken']] == [True, True]
    index = json.loads((tmp_path / 's/shards.json').read_text())
    assert [(s['url'], s['nsamples'])
            for s in index['shardlist']] == [('a.tar', 1), ('x/b.tar', 2)]
    assert contents(ShardSource(str(tmp_path / 's'))) == [picture] * 3


def test_errors_of_counting(tmp_path):
    with pytest.raises(FileNotFoundError, match='no .tar file in'):
        index_shards(str(tmp_path))
    with tarfile.open(tmp_path / 'a.tar', 'w'):
        pass
    with pytest.raises(ValueError, match="no shard in .* holds no image"):
        index_shards(str(tmp_path))
    assert os.listdir(tmp_path) == ['a.tar']
