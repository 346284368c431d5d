import os
import os.path as osp
import random

import pytest
import torch
from torch.utils.data import DataLoader

from saip_mm.datasets import FolderSource, LmdbSource, PersonImages, pack_lmdb
from saip_mm.datasets.lmdb_file import check_lmdb, close_lmdb
from ._images import write_tree

lmdb = pytest.importorskip('lmdb')
NAMES = [f'{i}.jpg' for i in range(8)]


@pytest.fixture
def packed(tmp_path):
    root = write_tree(tmp_path / 'images', NAMES)
    pack_lmdb(FolderSource(root), str(tmp_path / 'packed'))
    return str(tmp_path / 'packed')


def content_of(packed):
    with open(osp.join(packed, 'lmdb', 'data.mdb'), 'rb') as file:
        return file.read()


def write(packed, data):
    with open(osp.join(packed, 'lmdb', 'data.mdb'), 'wb') as file:
        file.write(data)


@pytest.mark.parametrize('share', [.99, .7, .4])
def test_a_truncated_file_is_refused(packed, share):
    """Reading it would end the process by a bus error."""
    data = content_of(packed)
    write(packed, data[:int(share * len(data))])
    with pytest.raises(ValueError, match='data.mdb.*cut short.*tells of'):
        PersonImages(packed)


@pytest.mark.parametrize('change,message', [
    (lambda data: b'', 'has 0 bytes, not even a header'),
    (lambda data: data[:100], 'has 100 bytes, not even'),
    (lambda data: data[:4096], 'cut short.*two headers take 8192'),
    (lambda data: bytes(len(data)), 'starts with zeros'),
    (lambda data: bytes(64) + data[64:], 'no LMDB'),
    (lambda data: b'this is text\n' * 2000, "starts with b'this is text"),
])
def test_what_is_no_lmdb_is_named(packed, change, message):
    write(packed, change(content_of(packed)))
    with pytest.raises(ValueError, match=message) as error:
        LmdbSource(packed)
    assert osp.join(packed, 'lmdb', 'data.mdb') in str(error.value)


def test_whole_files_pass_and_every_cut_that_matters_is_seen(tmp_path):
    """After deletions a whole file may be shorter than its header says."""
    shorter = 0
    for seed in range(60):
        path, rng = str(tmp_path / str(seed)), random.Random(seed)
        env = lmdb.open(path, map_size=1 << 26, sync=False)
        for _ in range(3):
            with env.begin(write=True) as transaction:
                for _ in range(rng.randint(1, 40)):
                    key = b'%d' % rng.randint(0, 20)
                    if rng.random() < .5:
                        transaction.put(key, bytes(rng.randint(1, 60_000)))
                    else:
                        transaction.delete(key)
            transaction = None
        needed = (env.info()['last_pgno'] + 1) * env.stat()['psize']
        env.close()
        shorter += needed > osp.getsize(osp.join(path, 'data.mdb'))
        check_lmdb(path)
        read_all(path)
    assert shorter  # else this shows nothing


def test_pages_of_the_tree_are_looked_at(tmp_path):
    """Thousands of keys have branches, and all values pages of their own."""
    path = str(tmp_path)
    env = lmdb.open(path, map_size=1 << 27, sync=False)
    with env.begin(write=True) as transaction:
        for i in range(3000):
            transaction.put(b'%06d' % i, bytes(5000))
    env.close()
    name = osp.join(path, 'data.mdb')
    check_lmdb(path)
    os.truncate(name, osp.getsize(name) - 4096)
    with pytest.raises(ValueError, match='cut short'):
        check_lmdb(path)


def read_all(path):
    env = lmdb.open(path, readonly=True, lock=False)
    with env.begin() as transaction:
        for _, value in transaction.cursor():
            assert not value.strip(b'\0')
    env.close()


def test_one_database_in_several_sources(packed):
    """A process may open it once; sources share that."""
    data = PersonImages([packed, dict(data_root=packed, num_samples=2)],
                        background=packed)
    first = [data.sources[0].read(key) for key in NAMES]
    assert [data.sources[1].read(key) for key in NAMES] == first
    data.sources[0].close()
    assert [data.background.sources[0].read(key) for key in NAMES] == first
    assert len(data[3]['data']) and len(data[9]['data'])


def test_workers_read_what_their_parent_has_open(packed):
    data = PersonImages(packed, [lambda r: dict(size=len(r['data']))])
    here = [data[i]['size'] for i in range(len(data))]  # opens it
    there = torch.cat([b['size']
                       for b in DataLoader(data, 2, num_workers=2)]).tolist()
    assert there == here == [data[i]['size'] for i in range(len(data))]
    close_lmdb(data.sources[0]._real)
