"""Files over http: whole, or an error that says what to do."""
import errno
import hashlib
import io
import os
import os.path as osp
import tempfile
import time
from http.client import HTTPException
from typing import BinaryIO, Optional
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from mmengine.utils import mkdir_or_exist

from ..weights.atomic import partial_path, remove_leftovers

# WebDataset's own door to http, gopen, runs the program curl, and what it
# says of a failure is the number curl ends with.
TRIES = 7
PAUSE = 1.  # seconds before the second try; then twice as long each time
TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 20
FINAL = (400, 401, 403, 404, 405, 410)  # asking again will not help


def fetch(url: str, file: BinaryIO, size: Optional[int] = None) -> None:
    """Copy what an address holds to a file.

    Where a connection is cut it goes on from there, with a server that knows
    ranges; else from the beginning.

    Args:
        url (str): ``http://`` or ``https://``.
        file (BinaryIO): Empty, to be written and read.
        size (int, optional): Bytes it must have. Defaults to None: what the
            server says.

    Raises:
        OSError: If it cannot be had in ``TRIES`` tries, or is of another
            size; names the address.
    """
    for number in range(TRIES):
        if number:
            time.sleep(PAUSE * 2**(number - 1))
        try:
            total = _go_on(url, file)
        except HTTPError as error:
            reason = f'{error.code} {error.reason}'
            if error.code in FINAL:
                raise OSError(
                    f"'{url}' cannot be fetched ({reason}): check the "
                    'address, and whether the server lets you in') from error
        except HTTPException as error:
            reason = repr(error)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise OSError(
                    errno.ENOSPC, f"no room for '{url}': make some in "
                    f"'{tempfile.gettempdir()}', set TMPDIR to another "
                    "folder, or the source's cache") from error
            reason = str(error) or type(error).__name__
        else:
            got = file.tell()
            if total is None or got == total:
                if size is not None and got != size:
                    raise OSError(
                        f"'{url}' has {got} bytes, its index says {size}: "
                        'the server has another version of either')
                return
            reason = f'cut off after {got} of {total} bytes'
    raise OSError(f"'{url}' cannot be fetched in {TRIES} tries, the last: "
                  f'{reason}. Is the server up, and this machine online?')


def _go_on(url: str, file: BinaryIO) -> Optional[int]:
    """Fetch the rest; how many bytes the whole has, if that is said."""
    done = file.seek(0, os.SEEK_END)
    headers = {'Range': f'bytes={done}-'} if done else {}
    with urlopen(Request(url, headers=headers), timeout=TIMEOUT) as answer:
        if done and answer.status != 206:
            done = file.seek(0)
            file.truncate()
        length = answer.headers.get('Content-Length')
        while True:
            data = answer.read(CHUNK)
            if not data:
                break
            file.write(data)
    return None if length is None else done + int(length)


def fetch_bytes(url: str) -> bytes:
    """As :func:`fetch`, into memory.

    Args:
        url (str): ``http://`` or ``https://``.

    Returns:
        bytes: All of it.

    Raises:
        OSError: As :func:`fetch`.
    """
    file = io.BytesIO()
    fetch(url, file)
    return file.getvalue()


def open_fetched(url: str,
                 size: Optional[int] = None,
                 cache: Optional[str] = None) -> BinaryIO:
    """Fetch a file and open it.

    Args:
        url (str): ``http://`` or ``https://``.
        size (int, optional): As in :func:`fetch`.
        cache (str, optional): Folder to keep it in, where all processes and
            later runs find it; it appears there when it is whole. Defaults
            to None: a file without a name in the system's temporary folder,
            which goes with the process, whatever ends it.

    Returns:
        BinaryIO: Its beginning.

    Raises:
        OSError: As :func:`fetch`, or if it cannot be kept.
    """
    if cache is None:
        file = tempfile.TemporaryFile()
        try:
            fetch(url, file, size)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file
    path = _kept_as(url, cache)
    if not osp.isfile(path) or size not in (None, osp.getsize(path)):
        mkdir_or_exist(cache)
        remove_leftovers(cache, osp.basename(path))
        partial = partial_path(path)
        try:
            with open(partial, 'w+b') as file:
                fetch(url, file, size)
                os.fsync(file.fileno())
            os.replace(partial, path)
        except BaseException:
            if osp.exists(partial):
                os.remove(partial)
            raise
    return open(path, 'rb')


def _kept_as(url: str, cache: str) -> str:
    # servers may have shards of one name in several folders
    digest = hashlib.sha256(url.encode()).hexdigest()[:12]
    name = osp.basename(url.split('?')[0])[-100:]
    return osp.join(osp.expanduser(cache), f'{digest}-{name}')
