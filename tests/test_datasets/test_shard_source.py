import os
import pickle
import sys

import pytest
from torch.utils.data import DataLoader

from saip_mm.datasets import (PersonImages, ResumableSampler, build_source,
                              shard_source)
from saip_mm.datasets.shard_file import walk_pictures
from saip_mm.weights import transfer
from ..web import serving
from ._images import encode, photo, write_tree
from .shards import write_shards, write_tar

pytest.importorskip('webdataset')
PIPELINE = [
    dict(type='DecodeImage'),
    dict(
        type='PersonCrops',
        size=(32, 16),
        local_size=(32, 16),
        background_size=None,
        num_scales=0,
        num_locals=1)
]


@pytest.fixture
def shards(tmp_path):
    return write_shards(tmp_path / 'shards', [3, 1, 4])


def bytes_of(numbers):
    return [encode(photo(40, 20, seed=i)) for i in numbers]


@pytest.mark.parametrize('remote', [False, True])
def test_every_picture_in_any_order(shards, remote, monkeypatch):
    with serving(shards) as server:
        source = build_source(server.address if remote else shards)
        assert len(source.keys) == 8 and source.random_access is not remote
        order = [7, 0, 3, 1, 6, 4, 2, 5]
        read = [source.read(source.keys[i]) for i in order]
        assert read == bytes_of(order)
        # all have been read: nothing stays open, nothing came twice
        assert not source._opened
        assert len(server.asked) == 4 * remote


def test_shards_are_closed_beyond_a_number(shards, monkeypatch):
    monkeypatch.setattr(shard_source, 'KEPT', 1)
    source = build_source(shards)
    order = [0, 4, 1, 5, 2]
    assert [source.read(source.keys[i]) for i in order] == bytes_of(order)
    assert len(source._opened) <= 1
    source.close()
    assert not source._opened
    pickle.loads(pickle.dumps(source)).read(source.keys[0])


def test_members_that_are_no_picture_of_a_sample(tmp_path):
    picture = encode(photo())
    path = write_tar(
        tmp_path / 'a.tar',
        [
            ('__meta__', b'x'),
            ('0.cls', b'1'),
            ('0.jpg', picture),  # the first picture of its sample
            ('0.png', b'other'),
            ('d.x/1.mask.png', b'mask'),
            ('d.x/1.JPEG', picture),
            ('2.txt', b'no picture'),
            ('noname', b'x'),
            ('3.webp', picture),
        ])
    with open(path, 'rb') as file:
        found = list(walk_pictures(file, 'a.tar'))
        for start, size in found:
            file.seek(start)
            assert file.read(size) == picture
    assert len(found) == 3


def test_num_samples_and_what_does_not_go_with_shards(shards):
    source = build_source(shards, num_samples=4)
    assert len(source.keys) == 4 and source.runs().tolist() == [3, 1]
    for kwargs in (dict(ann_file='l.txt'), dict(data_prefix='x')):
        with pytest.raises(ValueError, match='leave out ann_file and data_p'):
            build_source(shards, **kwargs)


def test_missing_and_changed_shards_are_named_at_once(shards):
    with open(os.path.join(shards, '000001.tar'), 'ab') as file:
        file.write(b'x')
    with pytest.raises(ValueError, match='000001.tar.* has .* copy it again'):
        build_source(shards)
    os.remove(os.path.join(shards, '000001.tar'))
    with pytest.raises(FileNotFoundError, match='000001.tar.* not found'):
        build_source(shards)


@pytest.mark.parametrize('kind', ['short', 'text', 'gz', 'count'])
def test_unreadable_shards(tmp_path, kind):
    root = write_shards(tmp_path / 's', [3], sizes=False)
    path = os.path.join(root, '000000.tar')
    if kind == 'short':
        os.truncate(path, 2000)
    elif kind == 'text':
        with open(path, 'w') as file:
            file.write('text' * 400)
    elif kind == 'gz':
        with open(path, 'wb') as file:
            file.write(b'\x1f\x8b' + bytes(2000))
    else:
        write_tar(path, [('0.jpg', encode(photo(40, 20)))])
    source = build_source(root)
    message = dict(
        short='no picture 2: it holds .*cut short',
        text='no tar file',
        gz='compressed',
        count='no picture 2: it holds 1')[kind]
    with pytest.raises(OSError, match=message):
        source.read(source.keys[2])


def test_a_picture_that_is_broken_is_replaced_from_its_shard(tmp_path):
    root = write_shards(tmp_path / 's', [2, 3, 3], sizes=False)
    picture = encode(photo(40, 20))
    write_tar(
        os.path.join(root, '000001.tar'), [('a.jpg', b'text'),
                                           ('b.jpg', picture),
                                           ('c.jpg', picture)])
    data = PersonImages(root, PIPELINE, seed=0)
    keys = {data[8 * epoch + 2]['key'] for epoch in range(9)}
    assert keys == {'000001.tar#1', '000001.tar#2'}
    assert data.num_broken == 1


def test_a_lost_server_ends_training_soon(shards, monkeypatch):
    monkeypatch.setattr(transfer, 'WAIT', 0.)
    with serving(shards) as server:
        data = PersonImages(server.address, PIPELINE)
        server.statuses = [500] * 99
        with pytest.raises(RuntimeError, match='32 images .* in a row'):
            data[5]
        assert len([p for p, _ in server.asked if '2.tar' in p]) == 7


@pytest.mark.parametrize('workers', [0, 2])
def test_mixtures_with_folders(shards, tmp_path, workers):
    folder = write_tree(tmp_path / 'images', ['a.jpg', 'b.jpg'])
    data = PersonImages([folder, shards], PIPELINE, seed=0)
    assert data.runs().tolist() == [1, 1, 3, 1, 4]
    batch, = DataLoader(data, 10, num_workers=workers)
    assert batch['key'][:3] == ['a.jpg', 'b.jpg', '000000.tar#0']
    assert batch['replaced'].sum() == 0


def test_pictures_one_by_one_do_not_fetch_shards(shards, tmp_path):
    with serving(shards) as server:
        data = PersonImages(server.address, PIPELINE)
        with pytest.raises(ValueError, match="type='ShardSampler'"):
            list(ResumableSampler(data, seed=0))
        list(ResumableSampler(data, shuffle=False, seed=0))
        with pytest.raises(ValueError, match='background is drawn from all'):
            PersonImages(shards, PIPELINE, background=server.address)
        cached = dict(data_root=server.address, cache=str(tmp_path / 'cache'))
        data = PersonImages(shards, PIPELINE, background=cached)
        assert len(list(ResumableSampler(data, seed=0))) == 8


def test_the_library_is_asked_for(shards, monkeypatch):
    monkeypatch.setitem(sys.modules, 'webdataset', None)
    with pytest.raises(ImportError, match=r'pip install "saip_mm\[shards\]"'):
        build_source(shards)
