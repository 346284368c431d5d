"""Pictures in WebDataset's tar shards, on disk or over http."""
import os
import os.path as osp
from collections import OrderedDict
from typing import Dict, Tuple

import numpy as np

from .shard_fetch import open_fetched
from .shard_file import ShardFile, need_webdataset
from .shard_index import (REMEDY, UNKNOWN, ShardKeys, find_index, is_address,
                          read_index)
from .sources import ImageSource

KEPT = 64  # shards a process has open, or fetched, at once


class ShardSource(ImageSource):
    """Pictures in tar shards, counted by an index.

    A shard is opened, or fetched, when its first picture is asked for, and
    given back when as many were read as it holds: in the order of
    :class:`ShardSampler` that is once an epoch, by one worker. In any other
    order it works as well, with files on disk at nearly the same speed.

    Args:
        root (str): A folder with ``shards.json``, such a file, or the
            address (``http://``, ``https://``) of either, see
            :func:`read_index`.
        cache (str): Folder in which fetched shards are kept for the next
            epoch and for other processes. Defaults to '': they are dropped.

    Raises:
        ImportError: If webdataset is not installed.
        OSError, ValueError: If the index cannot be read, or a shard of it on
            disk is missing or of another size.
    """

    def __init__(self, root: str, cache: str = '') -> None:
        need_webdataset()
        self.root = osp.expanduser(root)
        path = find_index(self.root)
        if path is None:
            raise FileNotFoundError(f"no shards.json in '{root}'. {REMEDY}")
        self.index = read_index(path)
        self.cache = cache
        self.keys = ShardKeys(self.index.names, self.index.counts)
        self._check_files()
        remote = is_address(path) or any(map(is_address, self.index.names))
        self.random_access = bool(cache) or not remote
        self._numbers: Dict[str, int] = {
            name: i
            for i, name in enumerate(self.index.names)
        }
        self._opened: 'OrderedDict[int, ShardFile]' = OrderedDict()
        self._failed: Dict[int, OSError] = {}
        self._process = os.getpid()

    def _check_files(self) -> None:
        """Before training for a day, not when it is its turn."""
        for shard, size in enumerate(self.index.sizes.tolist()):
            place = self.index.place(shard)
            if is_address(place):
                continue
            if not osp.isfile(place):
                raise FileNotFoundError(
                    f"shard '{place}' of the index '{self.index.path}' not "
                    f'found: copy it. {REMEDY}')
            if size not in (UNKNOWN, osp.getsize(place)):
                raise ValueError(
                    f"shard '{place}' has {osp.getsize(place)} bytes, its "
                    f"index '{self.index.path}' says {size}: copy it again. "
                    f'{REMEDY}')

    def runs(self) -> np.ndarray:
        """Each shard is one."""
        return self.keys.counts

    def around(self, index: int) -> Tuple[int, int]:
        """A shard: what stands in for its picture is at hand."""
        shard = self.keys.locate(index)[0]
        end = int(self.keys.ends[shard])
        return end - int(self.keys.counts[shard]), end

    def read(self, key: str) -> bytes:
        name, _, position = key.rpartition('#')
        shard = self._numbers[name]
        opened = self._open(shard)
        try:
            return opened.read(int(position))
        finally:
            if opened.left <= 0:
                self._drop(shard)

    def _open(self, shard: int) -> ShardFile:
        if self._process != os.getpid():  # a file's position is shared
            self._opened, self._failed = OrderedDict(), {}
            self._process = os.getpid()
        if shard in self._failed:
            raise self._failed[shard]
        if shard not in self._opened:
            place = self.index.place(shard)
            try:
                file = self._file(place, int(self.index.sizes[shard]))
                self._opened[shard] = ShardFile(file, place,
                                                int(self.index.counts[shard]))
            except OSError as error:
                # all pictures of it would ask for it in turn, for minutes
                self._failed[shard] = error
                raise
            if len(self._opened) > KEPT:
                self._drop(next(iter(self._opened)))
        self._opened.move_to_end(shard)
        return self._opened[shard]

    def _file(self, place: str, size: int):
        if not is_address(place):
            return open(place, 'rb')
        return open_fetched(place, None if size == UNKNOWN else size,
                            self.cache or None)

    def _drop(self, shard: int) -> None:
        self._opened.pop(shard).close()

    def close(self) -> None:
        while self._opened:
            self._drop(next(iter(self._opened)))

    def __getstate__(self) -> dict:
        """For workers that are not forked."""
        return dict(self.__dict__, _opened=OrderedDict(), _failed={})
