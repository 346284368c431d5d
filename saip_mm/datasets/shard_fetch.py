"""Shards over http: whole, or an error that says what to do."""
import io
import tempfile
from typing import BinaryIO, Optional

from ..weights.download import download, kept_as
from ..weights.transfer import DownloadError, Manner, NoRoomError, receive

# without a bar, of many workers' files; two minutes for a server to come back
# in the midst of a training
MANNER = Manner(retries=6, patient=True)


def fetch_bytes(url: str) -> bytes:
    """What an address holds.

    Args:
        url (str): ``http://`` or ``https://``.

    Returns:
        bytes: All of it.

    Raises:
        DownloadError: If it cannot be had; names the address.
    """
    file = io.BytesIO()
    receive(url, file, manner=MANNER)
    return file.getvalue()


def open_fetched(url: str,
                 size: Optional[int] = None,
                 cache: Optional[str] = None) -> BinaryIO:
    """Fetch a file and open it.

    Args:
        url (str): ``http://`` or ``https://``.
        size (int, optional): Bytes it must have. Defaults to None: what the
            server says.
        cache (str, optional): Folder to keep it in, where all processes and
            later runs find it; it appears there when it is whole. Defaults
            to None: a file without a name in the system's temporary folder,
            which goes with the process, whatever ends it.

    Returns:
        BinaryIO: Its beginning.

    Raises:
        DownloadError: If it cannot be had, is of another size, or cannot be
            kept; names the address, or the folder and what to do.
    """
    if cache is not None:
        path = download(url, kept_as(url, cache), None, size, MANNER)
        return open(path, 'rb')
    file = tempfile.TemporaryFile()
    try:
        _receive_nameless(url, file, size)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _receive_nameless(url: str, file: BinaryIO, size: Optional[int]) -> None:
    folder = tempfile.gettempdir()
    try:
        receive(url, file, size, MANNER._replace(folder=folder))
    except OSError as error:
        if isinstance(error,
                      DownloadError) and not isinstance(error, NoRoomError):
            raise
        raise NoRoomError(
            error.errno, f"no room for '{url}' ({error.strerror or error}): "
            f"make some in '{folder}', set TMPDIR to another folder, or the "
            "source's cache") from error
