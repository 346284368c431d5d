"""Downloads to files: verified, whole or not at all, once.

How bytes come, :mod:`.transfer` knows; filelock, which torch brings along,
waits for other processes.
"""
import hashlib
import os
import os.path as osp
from contextlib import contextmanager
from typing import Iterator, Optional
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from mmengine.logging import print_log
from mmengine.utils import mkdir_or_exist

from .atomic import move_whole
from .publish import file_sha256
from .transfer import DownloadError, GivenUpError, Manner, NoRoomError, receive


def download(url: str,
             path: str,
             sha256: Optional[str] = None,
             size: Optional[int] = None,
             manner: Optional[Manner] = None) -> str:
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
        manner (Manner, optional): Defaults to None: with a progress bar, and
            without much patience.

    Returns:
        str: ``path``.

    Raises:
        DownloadError: If it cannot be had, or is not what was expected.
        NoRoomError: If it cannot be written.
    """
    folder, name = osp.split(osp.abspath(path))
    manner = manner or Manner(title=name)
    manner = manner._replace(verified=sha256 is not None, folder=folder)
    try:
        mkdir_or_exist(folder)
        with _alone(path):
            if osp.isfile(path):
                problem = mismatch(path, sha256, size)
                if problem is None:
                    return path
                print_log(f'{path} has {problem}: fetched again', 'current')
            _download(url, path, sha256, size, manner)
    except DownloadError:
        raise
    except OSError as error:  # of the disk
        raise NoRoomError(
            error.errno, f'cannot write {path} ({error.strerror or error}): '
            'nothing of it was kept; make room there or choose another '
            'folder') from error
    return path


def kept_as(url: str, folder: str) -> str:
    """Where a download is kept in a folder: files of one name do not clash.

    Example:
        >>> kept_as('https://x.org/a/epoch_300.pth?key=1', 'cache')
        'cache/d5e5c0cc8bf1-epoch_300.pth'
        >>> kept_as('https://x.org/b/epoch_300.pth', 'cache')
        'cache/b2f82f6de421-epoch_300.pth'
    """
    digest = hashlib.sha256(url.encode()).hexdigest()[:12]
    name = osp.basename(urlsplit(url).path)[-100:]
    return osp.join(osp.expanduser(folder), f'{digest}-{name}')


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


def _download(url: str, path: str, sha256: Optional[str], size: Optional[int],
              manner: Manner) -> None:
    partial = osp.join(manner.folder, f'.{osp.basename(path)}.part')
    # a rest is worth keeping where the hash will tell if it is of the same
    keep = manner.verified
    if not keep:
        _remove(partial)
    resumed = _holds_something(partial)
    try:
        _receive(url, partial, size, manner)
        problem = mismatch(partial, sha256, size)
        if problem and resumed:
            _remove(partial)
            _receive(url, partial, size, manner)
            problem = mismatch(partial, sha256, size)
        if problem:
            keep = False
            raise DownloadError(
                f'{url} has {problem}: it was changed there or on its way')
        move_whole(partial, path)
    except GivenUpError as error:
        raise DownloadError(f'{error} Try again' +
                            ': it will go on from there' * keep) from error
    except OSError as error:
        keep = keep and isinstance(error, DownloadError)
        keep = keep and not isinstance(error, NoRoomError)
        raise
    finally:
        if not (keep and _holds_something(partial)):
            _remove(partial)


def _receive(url: str, partial: str, size: Optional[int],
             manner: Manner) -> None:
    with open(partial, 'r+b' if osp.isfile(partial) else 'w+b') as file:
        receive(url, file, size, manner)


def _holds_something(path: str) -> bool:
    return osp.isfile(path) and osp.getsize(path) > 0


def _remove(path: str) -> None:
    if osp.isfile(path):
        os.remove(path)
