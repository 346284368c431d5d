"""Shards as files; how bytes come is tested with the weights' transfer."""
import os
import tempfile

import pytest

from saip_mm.datasets.shard_fetch import fetch_bytes, open_fetched
from saip_mm.weights import transfer
from saip_mm.weights.transfer import DownloadError, NoRoomError
from ..web import serving

DATA = bytes(range(256)) * 40


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setattr(transfer, 'WAIT', 0.)
    with serving() as web:
        web.files['/a.tar'] = DATA
        yield web


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The system's folder of temporary files."""
    (tmp_path / 'tmp').mkdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'tmp'))
    return tmp_path / 'tmp'


def test_whole_files_come(web, capsys, log):
    """Through what a server may do in between, and without a word."""
    web.redirects['/old.tar'] = f'{web.address}/a.tar'
    web.statuses, web.cuts, web.etag = [503, 429], [1000], '"1"'
    assert fetch_bytes(f'{web.address}/old.tar') == DATA
    with open_fetched(f'{web.address}/a.tar', len(DATA)) as file:
        assert file.read() == DATA
    assert capsys.readouterr() == ('', '') and not log.text


@pytest.mark.parametrize('kept', [False, True])
def test_a_server_that_stays_down_is_waited_for(web, tmp_path, kept):
    web.statuses = [500] * 99
    cache = str(tmp_path) if kept else None
    with pytest.raises(
            DownloadError, match='in 7 tries, the last: .*500 .*online'):
        open_fetched(f'{web.address}/a.tar', None, cache)


def test_another_size_than_the_index_says(web):
    with pytest.raises(DownloadError, match=f'has {len(DATA)} bytes instead'):
        open_fetched(f'{web.address}/a.tar', 5)


def test_without_a_cache_nothing_is_left(web, temporary):
    with open_fetched(f'{web.address}/a.tar') as file:
        # not even a name while it is open: a kill has nothing to leave
        assert file.read() == DATA and not list(temporary.iterdir())


def test_a_cache_keeps_whole_files_only(web, tmp_path):
    url, cache = f'{web.address}/a.tar', tmp_path / 'cache'
    web.statuses = [404]
    with pytest.raises(DownloadError):
        open_fetched(url, len(DATA), str(cache))
    assert {p.suffix for p in cache.iterdir()} == {'.lock'}
    for _ in range(2):
        with open_fetched(url, len(DATA), str(cache)) as file:
            assert file.read() == DATA
    assert len(web.asked) == 2
    kept, = cache.glob('*-a.tar')
    kept.write_bytes(b'other')  # another size: fetched again
    with open_fetched(url, len(DATA), str(cache)) as file:
        assert file.read() == DATA


def test_shards_of_one_name_do_not_clash(web, tmp_path):
    web.files['/b/a.tar'] = DATA[::-1]
    for path, data in (('a.tar', DATA), ('b/a.tar', DATA[::-1])):
        with open_fetched(f'{web.address}/{path}', None,
                          str(tmp_path)) as file:
            assert file.read() == data


def test_a_full_disk_is_named(web, temporary, monkeypatch):

    class Full:

        def __getattr__(self, name):
            return lambda *args: 0

        def write(self, data):
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr(tempfile, 'TemporaryFile', Full)
    with pytest.raises(NoRoomError, match='no room for .*left.*TMPDIR'):
        open_fetched(f'{web.address}/a.tar')
    assert len(web.asked) == 1
    usage = transfer.shutil.disk_usage('.')._replace(free=10)
    monkeypatch.setattr(transfer.shutil, 'disk_usage', lambda folder: usage)
    with pytest.raises(
            NoRoomError, match='no room for .*10240 .* and 10 .*TMPDIR'):
        open_fetched(f'{web.address}/a.tar')
