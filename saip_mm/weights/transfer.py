"""Bytes over http into an open file, taken up where a connection was cut.

Of what is installed anyway, ``torch.hub`` starts a cut download anew,
``fsspec`` needs aiohttp for the web, ``huggingface_hub`` resumes in a function
of its own only, and WebDataset runs the program curl, of whose failure it
knows a number. So here urllib asks for ranges; tqdm, which these libraries
bring along, draws the bar.
"""
import os
import re
import shutil
import socket
import time
from http.client import HTTPException, HTTPResponse
from typing import BinaryIO, NamedTuple, Optional
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from mmengine.logging import print_log
from tqdm import tqdm

from ..version import __version__

WAIT = 1.  # seconds before the first retry, doubled each time
TIMEOUT = 30.  # seconds without an answer
BLOCK = 1 << 18  # bytes
LARGEST_TEXT = 1 << 24  # bytes
# the server is busy, or what it asks has failed for now
PASSING = (408, 425, 429, 500, 502, 503, 504)
OUT_OF_RANGE = 416


class DownloadError(OSError):
    """A file was not fetched: from where, why, and what to do."""


class GivenUpError(DownloadError):
    """It was asked for again and again; what has come stays."""


class NoRoomError(DownloadError):
    """A file cannot be written; another address would not help."""


class _CutError(Exception):
    """The connection ended early: what has come stays, ask for the rest."""


class Manner(NamedTuple):
    """How to ask for a file.

    Attributes:
        verified (bool): Its hash will be compared, so what the file holds
            may be of another version. Defaults to False.
        retries (int): Without a byte more, one after the other. Defaults to
            4, half a minute.
        patient (bool): Wait too for a server that has never answered.
            Defaults to False.
        title (str): Of the progress bar and the log's line. Defaults to
            neither.
        folder (str): Whose room must do. Defaults to none.
    """
    verified: bool = False
    retries: int = 4
    patient: bool = False
    title: str = ''
    folder: str = ''


def receive(url: str,
            file: BinaryIO,
            size: Optional[int] = None,
            manner: Manner = Manner()) -> None:
    """Write what an address holds into a file.

    Where a connection is cut it goes on from there, if the server can and
    says, by ETag or date, that it is the same version still; else from the
    beginning.

    Args:
        url (str): ``http://`` or ``https://``; redirects are followed.
        file (BinaryIO): To be written and read. What it holds is not asked
            for again if ``manner.verified``, else dropped.
        size (int, optional): Bytes it must have. Defaults to None: what the
            server says.
        manner (Manner): How to ask.

    Raises:
        DownloadError: If it cannot be had, or is of another size; names the
            address.
        NoRoomError: If it would not fit.
        OSError: If the file cannot be written, as the system says it.
    """
    _Transfer(url, file, size, manner).run()


def read_text(url: str) -> Optional[str]:
    """Fetch a small text; None where the server has no such file.

    Raises:
        DownloadError: If the server cannot be reached or refuses.
    """
    try:
        with urlopen(Request(url, headers=_headers()), timeout=TIMEOUT) as got:
            if got.headers.get_content_type() == 'text/html':
                raise DownloadError(f'{url} is a web page')
            return got.read(LARGEST_TEXT).decode('utf-8')
    except HTTPError as error:
        if error.code in (404, 410):
            return None
        raise DownloadError(f'{url}: {_said(error)}') from error
    except DownloadError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        raise DownloadError(f'{url}: {_said(error)}') from error


class _Transfer:
    """A file on its way; arguments as of :func:`receive`."""

    def __init__(self, url: str, file: BinaryIO, size: Optional[int],
                 manner: Manner) -> None:
        self.url, self.file, self.size = url, file, size
        self.manner = manner
        self.validator: Optional[str] = None  # of the version begun with
        self.answered = manner.patient
        self.bar: Optional[tqdm] = None

    def run(self) -> None:
        """Ask until it is complete, or until nothing more comes."""
        title = self.manner.title
        most, failures, tries = self._length(), 0, 1
        if title:
            print_log(f'Fetch {self.url}', 'current')
        with tqdm(
                desc=title,
                unit='B',
                unit_scale=True,
                unit_divisor=1024,
                disable=None if title else True) as self.bar:
            while True:
                try:
                    return self._receive()
                except _CutError as error:
                    reached = self._length()
                    failures = 0 if reached > most else failures + 1
                    most = max(most, reached)
                    if failures > self.manner.retries:
                        raise GivenUpError(
                            f'{self.url} cannot be fetched in {tries} tries, '
                            f'the last: {error}. Is the server up, and this '
                            'machine online?') from error
                time.sleep(WAIT * 2**failures)
                tries += 1

    def _length(self) -> int:
        return self.file.seek(0, os.SEEK_END)

    def _receive(self) -> None:
        # without hash and version, a rest may be of another file
        known = self.manner.verified or self.validator
        start = self._length() if known else 0
        if start and start == self.size:
            return
        with self._ask(start) as response:
            self.answered = True
            start = self._start_of(response, start)
            total = self._total_of(response, start)
            self.bar.total, self.bar.n = total, start
            self.bar.refresh()
            self._check_room(total, start)
            self.file.seek(start)
            self.file.truncate()
            self._copy(response, total)

    def _ask(self, start: int) -> HTTPResponse:
        headers = _headers()
        if start:
            headers['Range'] = f'bytes={start}-'
            if self.validator:  # another version is to come from its start
                headers['If-Range'] = self.validator
        try:
            return urlopen(Request(self.url, headers=headers), timeout=TIMEOUT)
        except HTTPError as error:
            error.close()
            if error.code == OUT_OF_RANGE:
                self.file.truncate(0)
            if error.code in (OUT_OF_RANGE, *PASSING):
                raise _CutError(_said(error)) from error
            raise DownloadError(
                f'{self.url} cannot be fetched ({_said(error)}): check the '
                'address, and whether the server lets you in') from error
        except (OSError, HTTPException, ValueError) as error:
            if self.answered or _is_passing(error):
                raise _CutError(_said(error)) from error
            raise DownloadError(
                f'{self.url} cannot be fetched ({_said(error)}): check the '
                'address, and whether this machine is online') from error

    def _start_of(self, response: HTTPResponse, asked: int) -> int:
        """Where the answer begins: 0 if the server does not do ranges."""
        if response.status != 206:
            if response.headers.get_content_type() == 'text/html':
                raise DownloadError(
                    f'{self.url} is a web page: it is not there any more, or '
                    'the network wants you to log in')
            etag = response.headers.get('ETag', '')
            self.validator = (
                etag if etag.startswith('"') else
                response.headers.get('Last-Modified'))
            return 0
        found = _content_range(response)
        if found is None or int(found[1]) != asked:
            self.file.truncate(0)
            raise _CutError('the server sent another range than asked for')
        return asked

    def _total_of(self, response: HTTPResponse, start: int) -> Optional[int]:
        """Length of the whole file; None where the server does not say."""
        found = _content_range(response)
        length = response.headers.get('Content-Length')
        total = None
        if found is not None and found[2] != '*':
            total = int(found[2])
        elif length is not None and length.isdigit():
            total = start + int(length)
        if total is None:
            return self.size
        self._check_size(total)
        return total

    def _check_size(self, found: int) -> None:
        if self.size is not None and found != self.size:
            raise DownloadError(
                f'{self.url} has {found} bytes instead of {self.size}: it was '
                'changed there')

    def _check_room(self, total: Optional[int], start: int) -> None:
        if total is None or not self.manner.folder:
            return
        free = shutil.disk_usage(self.manner.folder).free
        if total - start > free:
            raise NoRoomError(
                f'cannot write to {self.manner.folder}: {total - start} bytes '
                f'are to come and {free} are left; make room there or choose '
                'another folder')

    def _copy(self, response: HTTPResponse, total: Optional[int]) -> None:
        while True:
            try:
                block = response.read(BLOCK)
            except (OSError, HTTPException) as error:
                raise _CutError(f'cut after {self.file.tell()} bytes '
                                f'({_said(error)})') from error
            if not block:
                break
            self.file.write(block)
            self.bar.update(len(block))
        if total is not None and self.file.tell() < total:
            raise _CutError(f'cut after {self.file.tell()} of {total} bytes')
        self._check_size(self.file.tell())


def _headers() -> dict:
    # ranges and lengths are of the file only where nothing packs it
    return {
        'Accept-Encoding': 'identity',
        'User-Agent': f'saip_mm/{__version__}'
    }


def _content_range(response: HTTPResponse) -> Optional[re.Match]:
    return re.fullmatch(r'bytes (\d+)-\d+/(\d+|\*)',
                        response.headers.get('Content-Range', ''))


def _is_passing(error: Exception) -> bool:
    """Whether a first contact that failed may work a moment later."""
    reason = getattr(error, 'reason', error)
    return (isinstance(reason, (socket.timeout, ConnectionError))
            and not isinstance(reason, ConnectionRefusedError))


def _said(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f'the server says {error.code} {error.reason}'
    reason = getattr(error, 'reason', error)
    return getattr(reason, 'strerror', None) or str(reason) or repr(reason)
