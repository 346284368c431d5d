import io
import tempfile

import pytest

from saip_mm.datasets import shard_fetch
from saip_mm.datasets.shard_fetch import fetch, fetch_bytes, open_fetched
from .shards import Server

DATA = bytes(range(256)) * 40


@pytest.fixture
def server(tmp_path, monkeypatch):
    (tmp_path / 'www').mkdir()
    (tmp_path / 'www/a.tar').write_bytes(DATA)
    monkeypatch.setattr(shard_fetch, 'PAUSE', 0.)
    with Server(tmp_path / 'www') as server:
        yield server


def ranges(server):
    return [wanted for _, wanted in server.asked]


def test_whole_files_come(server):
    assert fetch_bytes(f'{server.url}/a.tar') == DATA
    with open_fetched(f'{server.url}/a.tar', len(DATA)) as file:
        assert file.read() == DATA


def test_a_cut_connection_is_taken_up_where_it_broke(server):
    server.cut['/a.tar'] = [1000, 5000]
    assert fetch_bytes(f'{server.url}/a.tar') == DATA
    assert ranges(server) == [None, 'bytes=1000-', 'bytes=5000-']


def test_a_server_without_ranges_begins_again(server):
    server.cut['/a.tar'], server.ranges = [1000], False
    assert fetch_bytes(f'{server.url}/a.tar') == DATA
    assert ranges(server) == [None, 'bytes=1000-']


def test_redirects_are_followed_and_short_failures_waited_for(server):
    server.moved['/old.tar'] = f'{server.url}/a.tar'
    server.status['/a.tar'] = [503, 429]
    assert fetch_bytes(f'{server.url}/old.tar') == DATA


@pytest.mark.parametrize('code', [403, 404])
def test_what_will_not_change_is_asked_for_once(server, code):
    server.status['/a.tar'] = [code]
    with pytest.raises(OSError, match=rf"/a.tar' cannot be fetched \({code} "):
        fetch_bytes(f'{server.url}/a.tar')
    assert len(server.asked) == 1


def test_a_server_that_stays_down(server):
    server.status['/a.tar'] = [500] * 99
    with pytest.raises(OSError, match='in 7 tries, the last: 500 .*online'):
        fetch_bytes(f'{server.url}/a.tar')
    assert len(server.asked) == 7


def test_no_network(monkeypatch):
    monkeypatch.setattr(shard_fetch, 'PAUSE', 0.)
    with Server('.') as server:
        url = server.url
    with pytest.raises(OSError, match='in 7 tries, the last: .*refused'):
        fetch_bytes(f'{url}/a.tar')


def test_another_size_than_the_index_says(server):
    with pytest.raises(OSError, match=f'has {len(DATA)} bytes, its index say'):
        fetch(f'{server.url}/a.tar', io.BytesIO(), 5)


def test_without_a_cache_nothing_is_left(server, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'tmp'))
    (tmp_path / 'tmp').mkdir()
    with open_fetched(f'{server.url}/a.tar') as file:
        # not even a name while it is open: a kill has nothing to leave
        assert file.read() == DATA and not list((tmp_path / 'tmp').iterdir())


def test_a_cache_keeps_whole_files_only(server, tmp_path):
    url, cache = f'{server.url}/a.tar', str(tmp_path / 'cache')
    server.status['/a.tar'] = [404]
    with pytest.raises(OSError):
        open_fetched(url, len(DATA), cache)
    assert not list((tmp_path / 'cache').iterdir())
    for _ in range(2):
        with open_fetched(url, len(DATA), cache) as file:
            assert file.read() == DATA
    assert len(server.asked) == 2
    kept, = (tmp_path / 'cache').iterdir()
    assert kept.name.endswith('-a.tar')
    kept.write_bytes(b'other')  # another size: fetched again
    with open_fetched(url, len(DATA), cache) as file:
        assert file.read() == DATA


def test_a_full_disk_is_named(server):

    class Full(io.BytesIO):

        def write(self, data):
            raise OSError(28, 'No space left on device')

    with pytest.raises(OSError, match='no room for .*TMPDIR'):
        fetch(f'{server.url}/a.tar', Full())
    assert len(server.asked) == 1
