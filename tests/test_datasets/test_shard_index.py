import json

import numpy as np
import pytest

from saip_mm.datasets.shard_index import (ShardKeys, find_index, is_address,
                                          read_index)


def test_keys_equal_a_list():
    counts = np.array([3, 1, 4])
    keys = ShardKeys(['a.tar', 'b.tar', 'c/d.tar'], counts)
    listed = [
        f'{name}#{i}' for name, count in zip(keys.names, counts)
        for i in range(count)
    ]
    assert list(keys) == listed == [keys[i] for i in range(8)]
    assert [keys[-1], keys[np.int64(3)]] == ['c/d.tar#3', 'b.tar#0']
    for count in range(1, 10):
        assert list(keys.head(count)) == listed[:count]
    for wrong in (8, -9):
        with pytest.raises(IndexError):
            keys[wrong]


def test_what_names_shards(tmp_path):
    (tmp_path / 'shards.json').write_text('{}')
    assert find_index(str(tmp_path)) == str(tmp_path / 'shards.json')
    assert find_index(str(tmp_path / 'shards.json')) is not None
    assert find_index(str(tmp_path / 'other.json')) is None
    assert find_index('http://h/p/') == 'http://h/p/shards.json'
    assert find_index('https://h/p/x.json?a=b') == 'https://h/p/x.json?a=b'
    assert is_address('https://h') and not is_address('data/http')


def index(tmp_path, shards):
    path = tmp_path / 'shards.json'
    path.write_text(json.dumps(dict(shardlist=shards)))
    return str(path)


def test_places_are_relative_to_the_index(tmp_path):
    found = read_index(
        index(tmp_path, [
            dict(url='a/0.tar', nsamples=2, filesize=99),
            dict(url='http://h/1.tar', nsamples=3),
            dict(url='empty.tar', nsamples=0)
        ]))
    assert list(found.counts) == [2, 3] and list(found.sizes) == [99, -1]
    assert found.place(0) == str(tmp_path / 'a/0.tar')
    assert found.place(1) == 'http://h/1.tar'


@pytest.mark.parametrize('shard, message', [
    ('0.tar', "entry 0 is 0.tar; expected: {"),
    (dict(url='0.tar'), 'entry 0 is'),
    (dict(url='0.tar', nsamples='3'), 'entry 0 is'),
    (dict(url='0.tar', nsamples=True), 'entry 0 is'),
    (dict(url='0.tar', nsamples=-1), 'entry 0 is'),
    (dict(url='', nsamples=1), 'entry 0 is'),
    (dict(url='pipe:cat 0.tar', nsamples=1), "'pipe:cat 0.tar', which is n"),
    (dict(url='file:0.tar', nsamples=1), 'which is not opened'),
    (dict(url='0.tar', nsamples=0), 'names no picture'),
])
def test_bad_entries(tmp_path, shard, message):
    with pytest.raises(
            ValueError, match="shard index '.*shards.json'.*" + message):
        read_index(index(tmp_path, [shard]))


def test_other_files_and_shards_named_twice(tmp_path):
    shard = dict(url='0.tar', nsamples=1)
    with pytest.raises(ValueError, match="names '0.tar' twice"):
        read_index(index(tmp_path, [shard, dict(shard)]))
    path = tmp_path / 'coco.json'
    path.write_text('{"images": []}')
    with pytest.raises(ValueError, match="no 'shardlist'.*--index FOLDER"):
        read_index(str(path))


@pytest.mark.parametrize('url', ['file:///etc/passwd', 'pipe:id', '//x'])
def test_a_fetched_index_opens_nothing_here(monkeypatch, url):
    content = json.dumps(dict(shardlist=[dict(url=url, nsamples=1)]))
    monkeypatch.setattr('saip_mm.datasets.shard_index.fetch_bytes',
                        lambda url: content.encode())
    if url == '//x':  # another host, over http
        assert read_index('http://h/shards.json').place(0) == 'http://x'
        return
    with pytest.raises(ValueError, match='which is not opened'):
        read_index('http://h/shards.json')
