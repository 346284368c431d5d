"""Where the bytes of an image come from: folder trees, LMDB, tar shards."""
import os
import os.path as osp
import unicodedata
from abc import ABCMeta, abstractmethod
from collections import Counter
from typing import Iterable, Iterator, Optional, Sequence, Tuple, Union

import cv2
import numpy as np
from mmengine.logging import print_log

from .key_list import drop_apple_doubles, read_keys
from .key_table import KeyTable
from .keypoint_file import KeypointFile
from .lmdb_file import check_lmdb, close_lmdb, open_lmdb
from .shard_index import find_index

# What OpenCV reads, the last line if it was built with it.
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.bmp', '.dib',
                  '.webp', '.tif', '.tiff', '.ppm', '.pgm', '.pbm', '.pnm')
IMAGE_SUFFIXES += tuple(
    suffix for suffix in ('.avif', '.gif', '.jp2')
    if cv2.haveImageWriter(f'a{suffix}'))


def walk_images(root: str,
                left_out: Optional[Counter] = None) -> Iterator[str]:
    """List all images below a folder.

    The order is that of ``sorted()`` over all keys, whatever the file
    system returns. Links to folders are followed, once each; names that
    start with a dot are left out.

    Args:
        root (str): The folder.
        left_out (Counter, optional): Counts, as the walk goes, what is no
            image, by suffix; ``._*`` for a Mac's, 'no file' for links to
            nothing and the like.

    Yields:
        str: Path relative to ``root``, with ``/``.
    """
    left_out = Counter() if left_out is None else left_out
    seen = {osp.realpath(root)}

    def walk(folder, prefix):
        with os.scandir(folder) as entries:
            entries = [(e.name + '/' * _is_dir(e), e) for e in entries]
        for name, entry in sorted(entries, key=lambda e: e[0]):
            kind = _kind(name, entry)
            if kind == 'image':
                yield prefix + name
            elif kind != 'folder':
                left_out[kind] += 1
            else:
                if entry.is_symlink():
                    target = osp.realpath(entry.path)
                    if target in seen:
                        continue
                    seen.add(target)
                yield from walk(entry.path, prefix + name)

    return walk(root, '')


def _is_dir(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_file(entry: os.DirEntry) -> bool:
    """Neither a link to nothing nor a pipe, which blocks who reads it."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _kind(name: str, entry: os.DirEntry) -> str:
    """'image', 'folder', or the kind under which an entry is left out."""
    if name.startswith('.'):
        return '._*' if name.startswith('._') else '.*'
    if name.endswith('/'):
        return 'folder'
    suffix = osp.splitext(name)[1].lower()
    if suffix not in IMAGE_SUFFIXES:
        return suffix or 'no suffix'
    return 'image' if _is_file(entry) else 'no file'


def _tell(left_out: Counter, root: str) -> None:
    """One line about what a walk left out, the most frequent first."""
    if not left_out:
        return
    kinds = [f'{count} {kind}' for kind, count in left_out.most_common(8)]
    kinds += ['...'] * (len(left_out) > 8)
    print_log(
        f"'{root}': {sum(left_out.values())} files left out, which are no "
        f"images that are read here: {', '.join(kinds)}",
        logger='current')


class ImageSource(metaclass=ABCMeta):
    """Keys and, for each key, the bytes of an image file.

    Attributes:
        root (str): What the user configured, for messages.
        keys (Sequence[str]): In canonical order; a part of it is
            ``keys.head(count)``.
        random_access (bool): Whether pictures may be read in any order at no
            great cost.
        keypoints (KeypointFile, optional): Of the keys, by their place.
    """
    root: str
    keys: Sequence[str]
    random_access: bool = True
    keypoints: Optional[KeypointFile] = None

    @abstractmethod
    def read(self, key: str) -> bytes:
        """Read one image's file.

        Args:
            key (str): One of ``keys``.

        Returns:
            bytes: The file.

        Raises:
            OSError: If it cannot be read.
        """

    def runs(self) -> np.ndarray:
        """How many keys in a row are best read by one worker in one go.

        Returns:
            np.ndarray: ``(R, )`` int64; their sum is ``len(keys)``.
        """
        return np.ones(len(self.keys), np.int64)

    def around(self, index: int) -> Tuple[int, int]:
        """Where to look for a picture instead of a broken one.

        Args:
            index (int): Of a key.

        Returns:
            tuple[int, int]: First index, and the one behind the last.
        """
        return 0, len(self.keys)

    def close(self) -> None:
        """Release what must not live on in a forked worker."""


class FolderSource(ImageSource):
    """Image files below a folder.

    Args:
        root (str): The folder.
        keys (Iterable[str], optional): Paths relative to ``root``. None
            walks the folder. Defaults to None.

    Raises:
        FileNotFoundError: If the folder is missing.
        ValueError: If it holds no image.
    """

    def __init__(self,
                 root: str,
                 keys: Optional[Iterable[str]] = None) -> None:
        root = osp.expanduser(root)
        if not osp.isdir(root):
            raise FileNotFoundError(
                f"image folder '{root}' not found: set data_root to a folder "
                'of images (sub-folders are searched), to an LMDB, or to tar '
                'shards')
        self.root = root
        if keys is None:
            left_out: Counter = Counter()
            keys = KeyTable(walk_images(root, left_out))
            _tell(left_out, root)
        self.keys = keys
        if not len(self.keys):
            raise ValueError(
                f"'{root}' holds no image: looked for "
                f"{' '.join(IMAGE_SUFFIXES)} in all its sub-folders. Is the "
                'archive unpacked, and data_root the right folder?')

    def read(self, key: str) -> bytes:
        path = osp.join(self.root, key)
        try:
            return _read_file(path)
        except FileNotFoundError:
            if key.isascii():
                raise
            return _read_file(osp.join(self.root, _decomposed(key)))


def _decomposed(key: str) -> str:
    """Lists hold composed characters; names from a Mac may not."""
    return unicodedata.normalize('NFD', key)


def _read_file(path: str) -> bytes:
    with open(path, 'rb') as file:
        return file.read()


class LmdbSource(ImageSource):
    """Image files in an LMDB, opened by each process for itself.

    Args:
        root (str): Folder with ``data.mdb``, or the folder above ``lmdb/``
            which has it.
        keys (Iterable[str], optional): None reads ``keys.pkl`` in or beside
            the database, and without that file the database itself.
            Defaults to None.

    Raises:
        FileNotFoundError: If there is no ``data.mdb``.
        ValueError: If it is empty, no LMDB, or cut short.
    """

    def __init__(self,
                 root: str,
                 keys: Optional[Iterable[str]] = None) -> None:
        self.root = root = osp.expanduser(root)
        path = lmdb_path(root)
        if path is None:
            raise FileNotFoundError(f"no data.mdb in '{root}' or "
                                    f"'{root}/lmdb'")
        self.path = path
        check_lmdb(path)
        self._real = osp.realpath(path)
        self.keys = self._find_keys() if keys is None else keys
        if not len(self.keys):
            raise ValueError(f"the LMDB '{self.path}' holds no image; pack "
                             'one with tools/dataset_converters/pack_lmdb.py')

    def _find_keys(self) -> KeyTable:
        for folder in (self.path, osp.dirname(osp.abspath(self.path))):
            path = osp.join(folder, 'keys.pkl')
            if osp.isfile(path):
                return read_keys(path)
        with open_lmdb(self._real).begin() as transaction:
            table = KeyTable(
                bytes(key).decode('utf-8', 'surrogateescape')
                for key in transaction.cursor().iternext(values=False))
        self.close()
        return drop_apple_doubles(table, self.path)

    def read(self, key: str) -> bytes:
        import lmdb
        environment = open_lmdb(self._real)
        try:
            with environment.begin() as transaction:
                value = transaction.get(key.encode('utf-8', 'surrogateescape'))
                if value is None and not key.isascii():
                    value = transaction.get(
                        _decomposed(key).encode('utf-8', 'surrogateescape'))
        except lmdb.Error as error:
            raise OSError(f"LMDB '{self.path}', key '{key}': "
                          f'{error}') from error
        if value is None:
            raise FileNotFoundError(f"LMDB '{self.path}' has no key '{key}'")
        return value

    def close(self) -> None:
        close_lmdb(self._real)


def lmdb_path(root: str) -> Optional[str]:
    """The folder with ``data.mdb``: ``root``, ``root/lmdb``, or None."""
    root = osp.expanduser(root)
    for path in (root, osp.join(root, 'lmdb')):
        if osp.isfile(osp.join(path, 'data.mdb')):
            return path
    return None


def build_source(data_root: str,
                 ann_file: str = '',
                 data_prefix: str = '',
                 num_samples: Optional[int] = None,
                 cache: str = '',
                 keypoints_file: str = '') -> ImageSource:
    """Open one source of images.

    Args:
        data_root (str): A folder tree, an LMDB (recognised by its
            ``data.mdb``), or tar shards (recognised by their
            ``shards.json``, or by ``http://``, ``https://``), see
            :class:`ShardSource`.
        ann_file (str): List of keys, see :func:`read_keys`; relative to
            ``data_root``. '' takes all images in canonical order (sorted
            keys). Defaults to ''.
        data_prefix (str): Folder below ``data_root`` which the keys of a
            folder tree are relative to. Defaults to ''.
        num_samples (int, optional): Keep only the first so many keys.
            Defaults to None, all.
        cache (str): Folder to keep shards in that are fetched. Defaults to
            '': they are dropped after use.
        keypoints_file (str): Keypoints of the pictures, see
            :class:`KeypointFile`; relative to ``data_root``. Defaults to '':
            there are none.

    ``~`` at the start of a path is the user's home.

    Returns:
        ImageSource: The source.

    Raises:
        FileNotFoundError: If the folder or the list is missing.
        ValueError: If one of them holds no image or cannot be read.
    """
    data_root = osp.expanduser(data_root)
    if find_index(data_root) is not None:
        source = _shard_source(data_root, cache, ann_file or data_prefix)
    else:
        source = _keyed_source(data_root, ann_file, data_prefix)
    if num_samples is not None:
        if num_samples < 1:
            raise ValueError(f'num_samples must be at least 1, got '
                             f"{num_samples} for '{data_root}'")
        source.keys = source.keys.head(num_samples)
    if keypoints_file:
        path = osp.join(data_root, osp.expanduser(keypoints_file))
        source.keypoints = KeypointFile(path, source.keys)
        if source.keypoints.missing:
            print_log(
                f"'{path}': {source.keypoints.missing} of {len(source.keys)} "
                'pictures have no keypoints',
                logger='current')
    return source


def _shard_source(data_root: str, cache: str, wanted: str) -> ImageSource:
    from .shard_source import ShardSource  # which is built upon this module
    if wanted:
        raise ValueError(
            f"'{data_root}' holds tar shards, which are taken whole: leave "
            f"out ann_file and data_prefix ('{wanted}'); pack_shards.py "
            '--keys packs what a list names')
    return ShardSource(data_root, cache)


def _keyed_source(data_root: str, ann_file: str,
                  data_prefix: str) -> ImageSource:
    keys: Union[KeyTable, None] = None
    if ann_file:
        keys = read_keys(osp.join(data_root, osp.expanduser(ann_file)))
    if lmdb_path(data_root) is not None:
        return LmdbSource(data_root, keys)
    folder = osp.join(data_root, data_prefix) if data_prefix else data_root
    return FolderSource(folder, keys)
