"""Which tar shards there are, and how many pictures each holds."""
import os.path as osp
from typing import Any, Iterator, NamedTuple, Optional, Sequence
from urllib.parse import urljoin, urlsplit

import numpy as np

from .key_table import KeyTable
from .shard_fetch import fetch_bytes
from .text_files import parse_json, read_json

INDEX = 'shards.json'
UNKNOWN = -1  # bytes of a shard of which the index does not tell
REMEDY = ('tools/dataset_converters/pack_shards.py --index FOLDER counts the '
          'shards in a folder')
FORM = '{"shardlist": [{"url": "000000.tar", "nsamples": 4096}, ...]}'


class ShardIndex(NamedTuple):
    """Tar shards in their order.

    Attributes:
        path (str): Of the index, a file or an address.
        names (KeyTable): Names as the index has them, each once.
        counts (np.ndarray): ``(S, )`` int64; pictures of each, at least 1.
        sizes (np.ndarray): ``(S, )`` int64; bytes of each, or ``UNKNOWN``.
    """
    path: str
    names: KeyTable
    counts: np.ndarray
    sizes: np.ndarray

    def place(self, shard: int) -> str:
        """Where a shard lies: a path or an address."""
        return _join(self.path, self.names[shard])


class ShardKeys(Sequence):
    """Names of the pictures in shards: ``000012.tar#345``.

    They are made when asked for. Only the counts are kept, so a hundred
    million pictures in 25 000 shards take 0.2 MB.

    Args:
        names (Sequence[str]): Of the shards.
        counts (np.ndarray): ``(S, )`` int64, pictures of each.

    Example:
        >>> keys = ShardKeys(['a.tar', 'b.tar'], np.array([2, 3]))
        >>> len(keys), keys[1], keys[2], keys[-1], list(keys.head(1))
        (5, 'a.tar#1', 'b.tar#0', 'b.tar#2', ['a.tar#0'])
    """

    def __init__(self, names: Sequence[str], counts: np.ndarray) -> None:
        self.names = names
        self.counts = counts
        self.ends = np.cumsum(counts)

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def __getitem__(self, index: int) -> str:
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f'{index} of {len(self)} pictures')
        shard, position = self.locate(index)
        return f'{self.names[shard]}#{position}'

    def __iter__(self) -> Iterator[str]:
        return (self[i] for i in range(len(self)))

    def locate(self, index: int) -> tuple:
        """Number of the shard, and position of the picture in it."""
        shard = int(np.searchsorted(self.ends, index, 'right'))
        return shard, int(index - self.ends[shard] + self.counts[shard])

    def head(self, count: int) -> 'ShardKeys':
        """The first ``count`` keys."""
        starts = self.ends - self.counts
        kept = starts < count
        counts = np.minimum(self.counts, count - starts)[kept]
        return ShardKeys(self.names, counts)


def find_index(data_root: str) -> Optional[str]:
    """Index of the shards that ``data_root`` names, None if it names none.

    Args:
        data_root (str): A folder with ``shards.json``, that file itself
            under any name that ends in ``.json``, or the address (``http://``
            or ``https://``) of either.

    Returns:
        str, optional: File or address of the index.
    """
    if is_address(data_root):
        if urlsplit(data_root).path.endswith('.json'):
            return data_root
        return f'{data_root.rstrip("/")}/{INDEX}'
    if data_root.endswith('.json') and osp.isfile(data_root):
        return data_root
    path = osp.join(data_root, INDEX)
    return path if osp.isfile(path) else None


def is_address(place: str) -> bool:
    """Whether it is to be fetched, not opened."""
    return place.startswith(('http://', 'https://'))


def read_index(path: str) -> ShardIndex:
    """Read an index in WebDataset's form (``wids``).

    Nothing that an index can say makes this process run a command
    (``pipe:``) or, where the index was fetched, open a file of this machine.

    Args:
        path (str): File or address: ``{"shardlist": [{"url": ...,
            "nsamples": ..., "filesize": ...}, ...]}``; ``url`` is relative
            to the index, ``filesize`` may be missing. Shards without a
            sample are left out.

    Returns:
        ShardIndex: The shards.

    Raises:
        OSError: If it cannot be read.
        ValueError: If its form is another, a shard is named twice, or none
            holds a picture.
    """
    content = (
        parse_json(fetch_bytes(path), path)
        if is_address(path) else read_json(path))
    shards = content.get('shardlist') if isinstance(content, dict) else None
    if not isinstance(shards, list):
        raise ValueError(f"shard index '{path}' has no 'shardlist'; "
                         f"WebDataset's form is expected: {FORM}. {REMEDY}")
    names, counts, sizes = [], [], []
    for number, shard in enumerate(shards):
        name, count, size = _checked(shard, number, path)
        if count:
            names.append(name)
            counts.append(count)
            sizes.append(size)
    if not names:
        raise ValueError(f"shard index '{path}' names no picture. {REMEDY}")
    if len(set(names)) < len(names):
        twice = next(n for i, n in enumerate(names) if n in names[:i])
        raise ValueError(f"shard index '{path}' names '{twice}' twice; each "
                         'shard counts once')
    return ShardIndex(path, KeyTable(names), np.array(counts, np.int64),
                      np.array(sizes, np.int64))


def _checked(shard: Any, number: int, path: str) -> tuple:
    """Name, pictures and bytes of an entry."""
    entry = shard if isinstance(shard, dict) else {}
    name, count = entry.get('url'), entry.get('nsamples')
    size = entry.get('filesize', UNKNOWN)
    if (not isinstance(name, str) or not name or not _is_count(count)
            or not (size == UNKNOWN or _is_count(size))):
        raise ValueError(f"shard index '{path}': entry {number} is "
                         f'{str(shard)[:80]}; expected: {FORM}. {REMEDY}')
    place = _join(path, name)
    if ((':' in name.split('/')[0] and not is_address(place))
            or is_address(path) > is_address(place)):
        raise ValueError(
            f"shard index '{path}': entry {number} names '{name}', which is "
            'not opened: names are relative to the index, or start with '
            'http:// or https://')
    return name, count, size


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) \
        and 0 <= value < 1 << 62


def _join(index: str, name: str) -> str:
    if is_address(index):
        return urljoin(index, name)
    return name if is_address(name) else osp.join(osp.dirname(index), name)
