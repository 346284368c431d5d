"""LMDB files: checked before they are mapped, opened once a process."""
import os
import os.path as osp
import struct
from typing import Dict, Iterator, NamedTuple, Tuple

MAGIC = 0xBEEFC0DE
PAGE_HEADER = 16  # bytes: number, padding, flags, bounds of its free space
BRANCH, LEAF = 1, 2
BIG = 1  # a value on pages of its own
NO_PAGE = (1 << 64) - 1


class _Meta(NamedTuple):
    """What one of the file's two headers says."""
    transaction: int
    last_page: int
    root: int
    page_size: int


def check_lmdb(path: str) -> None:
    """Refuse a database that ends before its pages do.

    LMDB maps its file into memory: what is missing is no error there but
    the end of the process (a bus error).

    Args:
        path (str): Folder with ``data.mdb``.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no LMDB, or cut short.
    """
    name = osp.join(path, 'data.mdb')
    size = osp.getsize(name)
    with open(name, 'rb') as file:
        meta = _newest_meta(file, name, size)
        needed = (meta.last_page + 1) * meta.page_size
        # Pages freed before they were ever written may be missing at the
        # end of a whole file, so only those in use count.
        if needed > size:
            for page in _pages_in_use(file, meta):
                if (page + 1) * meta.page_size > size:
                    raise ValueError(
                        f"'{name}' is cut short: its header tells of {needed} "
                        f'bytes, it has {size}. Copy or pack it again; is '
                        'the disk full?')


def _newest_meta(file, name: str, size: int) -> _Meta:
    """The header that the last finished transaction wrote."""
    first = file.read(PAGE_HEADER + 144)
    if len(first) < PAGE_HEADER + 144:
        raise ValueError(f"'{name}' is no LMDB: it has {size} bytes, not even "
                         'a header. Copy or pack it again')
    magic, version = struct.unpack_from('<II', first, PAGE_HEADER)
    if magic != MAGIC or version != 1:
        what = 'zeros' if not any(first) else repr(first[:16])
        raise ValueError(
            f"'{name}' is no LMDB that is read here (64 bits, little-endian, "
            f'version 1): it starts with {what}. Is it the right file? Else '
            'copy or pack it again')
    meta = _meta(first)
    file.seek(meta.page_size)
    second = file.read(PAGE_HEADER + 144)
    if len(second) < len(first):
        raise ValueError(f"'{name}' is cut short: it has {size} bytes, its "
                         f'two headers take {2 * meta.page_size}. Copy or '
                         'pack it again')
    if struct.unpack_from('<I', second, PAGE_HEADER)[0] == MAGIC:
        meta = max(meta, _meta(second))
    return meta


def _meta(page: bytes) -> _Meta:
    # magic, version, address, map size; then two databases (of free pages
    # and of the data) of 48 bytes each, the root last; last page; number
    # of the transaction. The first database's padding is the page size.
    start = PAGE_HEADER + 24
    page_size, = struct.unpack_from('<I', page, start)
    root, last_page, transaction = struct.unpack_from('<3Q', page, start + 88)
    return _Meta(transaction, last_page, root, page_size)


def _pages_in_use(file, meta: _Meta) -> Iterator[int]:
    """Numbers of the pages that readers may touch, the root first."""
    waiting = [] if meta.root == NO_PAGE else [meta.root]
    while waiting:
        number = waiting.pop()
        yield number
        file.seek(number * meta.page_size)
        page = file.read(meta.page_size)
        flags, lower = struct.unpack_from('<HH', page, 10)
        for i in range((lower - PAGE_HEADER) // 2):
            at, = struct.unpack_from('<H', page, PAGE_HEADER + 2 * i)
            low, high, more, key = struct.unpack_from('<4H', page, at)
            if flags & BRANCH:
                waiting.append(low | high << 16 | more << 32)
            elif flags & LEAF and more & BIG:
                value, = struct.unpack_from('<Q', page, at + 8 + key)
                length = (low | high << 16) + PAGE_HEADER
                yield value + (length - 1) // meta.page_size


# Environments of this process by path, and whose process that is: LMDB
# cannot open a database twice, and what was opened before a fork is not for
# the child.
_OPENED: Dict[str, Tuple[int, object]] = {}


def open_lmdb(path: str):
    """Open a database for reading, or take the one that is open.

    Args:
        path (str): Folder with ``data.mdb``, as :func:`os.path.realpath`
            gives it.

    Returns:
        lmdb.Environment: Shared by all sources of this process.

    Raises:
        ValueError: If LMDB refuses it.
    """
    pid, environment = _OPENED.get(path, (0, None))
    if pid == os.getpid():
        return environment
    import lmdb
    if environment is not None:  # of the parent, whose own stays open
        environment.close()
    try:
        environment = lmdb.open(
            path, readonly=True, lock=False, readahead=False, meminit=False)
    except lmdb.Error as error:
        raise ValueError(f"the LMDB '{path}' cannot be opened: "
                         f'{error}') from error
    _OPENED[path] = (os.getpid(), environment)
    return environment


def close_lmdb(path: str) -> None:
    """Close what :func:`open_lmdb` opened; the next reading opens it."""
    if path in _OPENED and _OPENED[path][0] == os.getpid():
        _OPENED.pop(path)[1].close()
