"""Bytes into an open file; into files by name, with hashes: test_download."""
import io
import random

import pytest

from saip_mm.weights import transfer
from saip_mm.weights.transfer import (DownloadError, GivenUpError, Manner,
                                      read_text, receive)
from ..web import serving

CONTENT = random.Random(1).randbytes(30_000)
PATIENT = Manner(retries=6, patient=True)


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """Seconds waited for, which nobody waits here."""
    waits = []
    # the server, of this process too, pauses for 0 seconds
    monkeypatch.setattr(transfer.time, 'sleep',
                        lambda pause: pause and waits.append(pause))
    return waits


@pytest.fixture
def web():
    with serving() as web:
        web.files['/a.tar'] = CONTENT
        yield web


def get(web, **kwargs):
    file = io.BytesIO()
    receive(f'{web.address}/a.tar', file, **kwargs)
    return file.getvalue()


def test_what_a_file_holds_is_dropped_or_gone_on_from(web):
    for manner, wanted in ((Manner(), None), (Manner(verified=True),
                                              'bytes=1000-')):
        file = io.BytesIO(CONTENT[:1000])
        receive(f'{web.address}/a.tar', file, manner=manner)
        assert file.getvalue() == CONTENT
        assert web.asked[-1] == ('/a.tar', wanted)


def test_each_failure_waits_longer_until_more_comes(web, waits):
    web.etag, web.statuses, web.cuts = '"1"', [503, 503, 0, 503], [1000]
    assert get(web) == CONTENT
    assert waits == [2., 4., 1., 2.]


def test_another_size_than_said(web):
    with pytest.raises(DownloadError, match='has 30000 bytes instead of 5'):
        get(web, size=5)
    web.says_length = False
    with pytest.raises(DownloadError, match='has 30000 bytes instead of 5'):
        get(web, size=5)


def test_less_than_said_is_a_cut_where_the_server_says_nothing(web):
    web.says_length, web.cuts, web.etag = False, [1000], '"1"'
    assert get(web, size=len(CONTENT)) == CONTENT
    assert web.asked[-1] == ('/a.tar', 'bytes=1000-')


@pytest.mark.parametrize('code', [401, 403, 404])
def test_what_will_not_change_is_asked_for_once(web, code):
    web.statuses = [code]
    with pytest.raises(
            DownloadError,
            match=rf'/a.tar cannot be fetched \(the server says {code} .*'
            'check the address, and whether the server lets you in'):
        get(web, manner=PATIENT)
    assert len(web.asked) == 1


def test_a_server_that_stays_down_is_given_up(web, waits):
    web.statuses = [500] * 99
    with pytest.raises(
            GivenUpError,
            match='cannot be fetched in 7 tries, the last: the server says '
            '500 .*. Is the server up, and this machine online'):
        get(web, manner=PATIENT)
    assert len(web.asked) == 7 and sum(waits) == 126  # two minutes


def test_only_the_patient_wait_for_one_that_never_answered(free_port, waits):
    url = f'http://127.0.0.1:{free_port}/a.tar'
    with pytest.raises(DownloadError, match='refused.*machine is online'):
        receive(url, io.BytesIO())
    assert not waits
    with pytest.raises(GivenUpError, match='in 7 tries, the last: .*refused'):
        receive(url, io.BytesIO(), manner=PATIENT)


def test_small_texts(web, free_port):
    web.files['/metafile.yml'] = 'Models: [] # é'.encode()
    assert read_text(f'{web.address}/metafile.yml') == 'Models: [] # é'
    assert read_text(f'{web.address}/none.yml') is None
    web.statuses = [403]
    with pytest.raises(DownloadError, match='says 403'):
        read_text(f'{web.address}/metafile.yml')
    with pytest.raises(DownloadError, match='refused'):
        read_text(f'http://127.0.0.1:{free_port}/metafile.yml')
