"""Downloads: resumed, verified, whole or not at all.

Of what is installed anyway, ``torch.hub`` starts a cut download anew,
``fsspec`` needs aiohttp for the web, and ``huggingface_hub`` resumes in a
function of its own only. So here urllib asks for ranges; filelock and tqdm,
which these libraries bring along, wait for other processes and draw the bar.
"""
import os
import os.path as osp
import re
import shutil
import socket
import time
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import BinaryIO, Iterator, Optional
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from filelock import FileLock, Timeout
from mmengine.logging import print_log
from mmengine.utils import mkdir_or_exist
from tqdm import tqdm

from ..version import __version__
from .atomic import move_whole
from .publish import file_sha256

RETRIES = 4  # without a byte more, one after the other
WAIT = 1.  # seconds before the first, doubled each time
TIMEOUT = 30.  # seconds without an answer
BLOCK = 1 << 18  # bytes
LARGEST_TEXT = 1 << 24  # bytes
# the server is busy, or what it asks has failed for now
PASSING = (408, 425, 429, 500, 502, 503, 504)
OUT_OF_RANGE = 416


class DownloadError(OSError):
    """A file was not fetched: from where, why, and what to do."""


class NoRoomError(DownloadError):
    """A file cannot be written; another address would not help."""


class _CutError(Exception):
    """The connection ended early: what has come stays, ask for the rest."""


def download(url: str,
             path: str,
             sha256: Optional[str] = None,
             size: Optional[int] = None) -> str:
    """Fetch a file from the web, unless it is there.

    Content goes to a hidden file beside the target and is renamed when it is
    complete and verified. A cut connection is taken up where it ended, if
    the server can; so is, where the hash is known, what a killed process
    left. Of several processes (ranks, runs) one fetches and the others wait.

    Args:
        url (str): ``http://`` or ``https://``; redirects are followed.
        path (str): Target; its folder is made if missing.
        sha256 (str, optional): Hexadecimal, the first digits of it or all.
            Defaults to None: not compared.
        size (int, optional): In bytes. Defaults to None: what the server
            says is compared.

    Returns:
        str: ``path``.

    Raises:
        DownloadError: If it cannot be had, or is not what was expected.
        NoRoomError: If it cannot be written.
    """
    try:
        mkdir_or_exist(osp.dirname(osp.abspath(path)))
        with _alone(path):
            if osp.isfile(path):
                problem = mismatch(path, sha256, size)
                if problem is None:
                    return path
                print_log(f'{path} has {problem}: fetched again', 'current')
            _download(url, path, sha256, size)
    except DownloadError:
        raise
    except OSError as error:  # of the disk
        raise NoRoomError(
            error.errno, f'cannot write {path} ({error.strerror or error}): '
            'nothing of it was kept; make room there or choose another '
            'folder') from error
    return path


def mismatch(path: str,
             sha256: Optional[str] = None,
             size: Optional[int] = None) -> Optional[str]:
    """What is wrong with a file; None if nothing is.

    Args:
        path (str): An existing file.
        sha256 (str, optional): As in :func:`download`.
        size (int, optional): In bytes.
    """
    found = osp.getsize(path)
    if size is not None and found != size:
        return f'{found} bytes instead of {size}'
    if sha256 is not None:
        digest = file_sha256(path)
        if not digest.startswith(sha256.lower()):
            return f'SHA-256 {digest[:max(8, len(sha256))]}, not {sha256}'
    return None


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


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """Be the only process at a file; the system frees a killed one's lock."""
    folder, name = osp.split(osp.abspath(path))
    lock = FileLock(osp.join(folder, f'.{name}.lock'))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print_log(f'Another process is fetching {path}, waiting', 'current')
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _download(url: str, path: str, sha256: Optional[str],
              size: Optional[int]) -> None:
    folder, name = osp.split(osp.abspath(path))
    partial = osp.join(folder, f'.{name}.part')
    # a rest is worth keeping where the hash will tell if it is of the same
    keep = sha256 is not None
    if not keep:
        _remove(partial)
    resumed = osp.isfile(partial)
    try:
        _Transfer(url, partial, size, keep).run()
        problem = mismatch(partial, sha256, size)
        if problem and resumed:
            _remove(partial)
            _Transfer(url, partial, size, keep).run()
            problem = mismatch(partial, sha256, size)
        if problem:
            keep = False
            raise DownloadError(
                f'{url} has {problem}: it was changed there or on its way')
        move_whole(partial, path)
    except _CutError as error:
        raise DownloadError(f'{url}: {error}; try again' +
                            ', it will go on from there' * keep) from error
    except OSError as error:
        keep = keep and isinstance(error, DownloadError)
        keep = keep and not isinstance(error, NoRoomError)
        raise
    finally:
        if not keep:
            _remove(partial)


class _Transfer:
    """A file on its way: how to ask for it, and for the rest of it.

    Args:
        url (str): Where it is.
        partial (str): Grows; what it holds is not asked for again.
        size (int, optional): How long it must become.
        verified (bool): Whether its hash will be compared.
    """

    def __init__(self, url: str, partial: str, size: Optional[int],
                 verified: bool) -> None:
        self.url, self.partial, self.size = url, partial, size
        self.verified = verified
        self.validator: Optional[str] = None  # of the version begun with
        self.answered = False
        self.bar: Optional[tqdm] = None

    def run(self) -> None:
        """Ask until it is complete, or until nothing more comes."""
        most, failures = _length(self.partial), 0
        print_log(f'Fetch {self.url}', 'current')
        with tqdm(
                desc=osp.basename(self.partial)[1:-len('.part')],
                unit='B',
                unit_scale=True,
                unit_divisor=1024,
                disable=None) as self.bar:
            while True:
                try:
                    return self._receive()
                except _CutError:
                    reached = _length(self.partial)
                    failures = 0 if reached > most else failures + 1
                    most = max(most, reached)
                    if failures > RETRIES:
                        raise
                time.sleep(WAIT * 2**failures)

    def _receive(self) -> None:
        # without hash and version, a rest may be of another file
        known = self.verified or self.validator
        start = _length(self.partial) if known else 0
        if start and start == self.size:
            return
        with self._ask(start) as response:
            self.answered = True
            start = self._start_of(response, start)
            total = self._total_of(response, start)
            self.bar.total, self.bar.n = total, start
            self.bar.refresh()
            free = shutil.disk_usage(osp.dirname(self.partial)).free
            if total is not None and total - start > free:
                raise NoRoomError(
                    f'cannot write {self.partial}: {total - start} bytes are '
                    f'to come and {free} are left; make room there or choose '
                    'another folder')
            with open(self.partial, 'r+b' if start else 'wb') as file:
                file.seek(start)
                file.truncate()
                self._copy(response, file, total)

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
                _remove(self.partial)
            if error.code in (OUT_OF_RANGE, *PASSING):
                raise _CutError(_said(error)) from error
            raise DownloadError(f'{self.url}: {_said(error)}') from error
        except (OSError, HTTPException, ValueError) as error:
            if self.answered or _is_passing(error):
                raise _CutError(_said(error)) from error
            raise DownloadError(f'{self.url}: {_said(error)}') from error

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
            _remove(self.partial)
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
        if None not in (total, self.size) and total != self.size:
            raise DownloadError(
                f'{self.url} has {total} bytes instead of {self.size}: it '
                'was changed there')
        return total

    def _copy(self, response: HTTPResponse, file: BinaryIO,
              total: Optional[int]) -> None:
        while True:
            try:
                block = response.read(BLOCK)
            except (OSError, HTTPException) as error:
                raise _CutError(f'cut after {file.tell()} bytes '
                                f'({_said(error)})') from error
            if not block:
                break
            file.write(block)
            self.bar.update(len(block))
        if total is not None and file.tell() < total:
            raise _CutError(f'cut after {file.tell()} of {total} bytes')


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


def _length(path: str) -> int:
    return osp.getsize(path) if osp.isfile(path) else 0


def _remove(path: str) -> None:
    if osp.isfile(path):
        os.remove(path)
