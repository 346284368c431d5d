import builtins
import errno
import hashlib
import multiprocessing
import os
import random
import signal
import time

import pytest

from saip_mm.weights import download as module
from saip_mm.weights import transfer
from saip_mm.weights.download import download, mismatch
from saip_mm.weights.transfer import DownloadError, Manner, NoRoomError
from ..web import serving

CONTENT = random.Random(0).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FORK = multiprocessing.get_context('fork')


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(transfer, 'WAIT', 0.)


@pytest.fixture
def web():
    with serving() as web:
        web.files['/a.pth'] = CONTENT
        yield web


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'cache' / 'a.pth'


def get(web, path, **kwargs):
    return download(f'{web.address}/a.pth', str(path), **kwargs)


def left(path):
    """What lies in the folder besides the lock."""
    if not path.parent.is_dir():
        return []
    return sorted(p.name for p in path.parent.iterdir() if p.suffix != '.lock')


def test_a_file_is_fetched_once(web, path):
    for _ in range(2):
        assert get(web, path, sha256=SHA256, size=len(CONTENT)) == str(path)
    assert path.read_bytes() == CONTENT
    assert web.asked == [('/a.pth', None)]
    assert left(path) == ['a.pth']


def test_a_damaged_file_is_fetched_again(web, path, log):
    path.parent.mkdir()
    path.write_bytes(CONTENT[:-1] + b'?')
    get(web, path, sha256=SHA256[:8].upper())
    assert path.read_bytes() == CONTENT
    assert 'fetched again' in log.text


@pytest.mark.parametrize('known', [dict(sha256=SHA256), {}])
def test_a_cut_connection_is_taken_up(web, path, known):
    """Without a hash too, where the server names the version."""
    web.cuts, web.etag = [100_000, 50_000], '"1"'
    get(web, path, **known)
    assert path.read_bytes() == CONTENT
    assert [wanted for _, wanted in web.asked
            ] == [None, 'bytes=100000-', 'bytes=150000-']


def test_without_hash_and_version_a_cut_file_starts_anew(web, path):
    web.cuts = [100_000]
    get(web, path)
    assert path.read_bytes() == CONTENT
    assert [wanted for _, wanted in web.asked] == [None, None]


def test_another_version_is_taken_from_its_start(web, path, monkeypatch):
    web.cuts, web.etag = [100_000], '"1"'
    other = CONTENT[::-1]

    def change(seconds):
        web.files['/a.pth'], web.etag = other, '"2"'

    monkeypatch.setattr(transfer.time, 'sleep', change)
    web.pause = 0
    get(web, path)
    assert path.read_bytes() == other


def test_a_server_without_ranges_starts_anew(web, path):
    web.ranges, web.cuts = False, [100_000, 200_000]
    get(web, path, sha256=SHA256)
    assert path.read_bytes() == CONTENT


def test_a_server_that_always_cuts_is_given_up(web, path):
    web.ranges, web.cuts = False, [100_000] * 99
    with pytest.raises(
            DownloadError,
            match='cannot be fetched in 6 tries, the last: cut after '
            '100000 of 300000 bytes. .*Try again: it will go on from there'):
        get(web, path, sha256=SHA256)
    assert len(web.asked) == 2 + Manner().retries
    assert left(path) == ['.a.pth.part']
    web.ranges, web.cuts, web.asked = True, [], []
    get(web, path, sha256=SHA256)
    assert web.asked == [('/a.pth', 'bytes=100000-')]
    assert path.read_bytes() == CONTENT and left(path) == ['a.pth']


@pytest.mark.parametrize('known', [dict(sha256='0' * 64), {}])
def test_what_another_left_is_not_taken_on_trust(web, path, known):
    """Its beginning is of another file: the hash tells, then all anew."""
    path.parent.mkdir()
    (path.parent / '.a.pth.part').write_bytes(b'?' * 1000)
    if known:
        known = dict(sha256=SHA256)
    get(web, path, **known)
    assert path.read_bytes() == CONTENT
    assert web.asked[-1] == ('/a.pth', None)


def test_more_than_the_whole_is_not_taken_either(web, path):
    path.parent.mkdir()
    (path.parent / '.a.pth.part').write_bytes(CONTENT + b'?')
    get(web, path, sha256=SHA256)  # the server says 416
    assert path.read_bytes() == CONTENT


def test_wrong_hash(web, path):
    with pytest.raises(
            DownloadError,
            match=f'a.pth has SHA-256 {SHA256[:8]}, not 01234567: it was '
            'changed'):
        get(web, path, sha256='01234567')
    assert left(path) == []


def test_wrong_size_is_seen_before_the_first_byte(web, path):
    with pytest.raises(DownloadError, match='300000 bytes instead of 7'):
        get(web, path, size=7)
    assert left(path) == []


def test_wrong_size_that_the_server_does_not_say(web, path):
    web.says_length = False
    with pytest.raises(DownloadError, match='300000 bytes instead of 7'):
        get(web, path, size=7)
    assert left(path) == []


def test_a_web_page_is_no_file(web, path):
    web.type = 'text/html; charset=utf-8'
    with pytest.raises(DownloadError, match='a.pth is a web page'):
        get(web, path)
    assert left(path) == []


def test_a_redirect_is_followed_and_resumed(web, path):
    web.files = {'/there': CONTENT}
    web.redirects['/a.pth'] = '/there'
    web.cuts = [100_000]
    get(web, path, sha256=SHA256)
    assert path.read_bytes() == CONTENT
    assert web.asked[-2:] == [('/a.pth', 'bytes=100000-'),
                              ('/there', 'bytes=100000-')]


def test_a_redirect_in_a_circle(web, path):
    web.redirects['/a.pth'] = '/a.pth'
    with pytest.raises(DownloadError, match='the server says 302'):
        get(web, path)


def test_a_busy_server_is_asked_again(web, path):
    web.statuses = [503, 429, 500]
    get(web, path)
    assert len(web.asked) == 4 and path.read_bytes() == CONTENT


@pytest.mark.parametrize('status', [403, 404])
def test_a_server_that_says_no_is_not(web, path, status):
    web.statuses = [status]
    with pytest.raises(DownloadError, match=f'the server says {status}'):
        get(web, path)
    assert len(web.asked) == 1 and left(path) == []


@pytest.mark.parametrize('url, reason', [
    ('http://127.0.0.1:{port}/a.pth', 'Connection refused'),
    ('http://nowhere.invalid/a.pth', ''),
    ('http://[/a.pth', ''),
])
def test_no_network(free_port, path, url, reason):
    url = url.format(port=free_port)
    with pytest.raises(DownloadError) as caught:
        download(url, str(path))
    assert str(caught.value).startswith(url) and reason in str(caught.value)
    assert left(path) == []


def test_no_network_keeps_what_had_come(web, path, free_port):
    path.parent.mkdir()
    (path.parent / '.a.pth.part').write_bytes(CONTENT[:1000])
    with pytest.raises(DownloadError, match='refused'):
        download(
            f'http://127.0.0.1:{free_port}/a.pth', str(path), sha256=SHA256)
    get(web, path, sha256=SHA256)
    assert web.asked == [('/a.pth', 'bytes=1000-')]


class Full:
    """A file on a disk that is full after so many bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, block):
        if self.file.tell() + len(block) > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.file.write(block)

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.file.close()


def test_no_space(web, path, monkeypatch):
    monkeypatch.setattr(
        module,
        'open',
        lambda *args: Full(builtins.open(*args), 1000),
        raising=False)
    with pytest.raises(
            NoRoomError, match=r'cannot write .*a.pth \(No space left') as at:
        get(web, path, sha256=SHA256)
    assert at.value.errno == errno.ENOSPC
    assert left(path) == []


def test_no_space_is_seen_before_the_first_byte(web, path, monkeypatch):
    usage = transfer.shutil.disk_usage('.')._replace(free=1000)
    monkeypatch.setattr(transfer.shutil, 'disk_usage', lambda folder: usage)
    with pytest.raises(NoRoomError, match='300000 bytes are to come and 1000'):
        get(web, path, sha256=SHA256)
    assert left(path) == []


def test_a_folder_that_cannot_be_made(web, tmp_path):
    (tmp_path / 'cache').write_text('a file')
    with pytest.raises(NoRoomError, match='cannot write .*a.pth'):
        get(web, tmp_path / 'cache' / 'a.pth')


def test_a_kill_leaves_nothing_under_the_name_and_is_taken_up(web, path):
    web.pause = 0.01
    process = FORK.Process(
        target=get, args=(web, path), kwargs=dict(sha256=SHA256))
    process.start()
    partial = path.parent / '.a.pth.part'
    while not (partial.is_file() and partial.stat().st_size):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    come = partial.stat().st_size
    assert left(path) == ['.a.pth.part'] and 0 < come < len(CONTENT)
    web.pause, web.asked = 0, []
    get(web, path, sha256=SHA256)  # its lock went with it
    assert web.asked == [('/a.pth', f'bytes={come}-')]
    assert path.read_bytes() == CONTENT and left(path) == ['a.pth']


def test_one_process_fetches_and_the_others_wait(web, path):
    web.pause = 0.002
    processes = [FORK.Process(target=get, args=(web, path)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert web.asked == [('/a.pth', None)]
    assert path.read_bytes() == CONTENT


def test_mismatch_by_hand(tmp_path):
    path = tmp_path / 'a'
    path.write_bytes(b'abc')
    # FIPS 180-2, appendix B.1
    digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert mismatch(str(path), digest, 3) is None
    assert mismatch(str(path), digest[:8]) is None
    assert mismatch(str(path), '0' * 8) == 'SHA-256 ba7816bf, not 00000000'
    assert mismatch(str(path), digest, 4) == '3 bytes instead of 4'
