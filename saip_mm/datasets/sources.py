"""Where the bytes of an image come from: folder trees and LMDB."""
import json
import os
import os.path as osp
import pickle
import unicodedata
from abc import ABCMeta, abstractmethod
from typing import Iterable, Iterator, Optional, Union

from .key_table import KeyTable

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


def walk_images(root: str) -> Iterator[str]:
    """List all images below a folder.

    The order is that of ``sorted()`` over all keys, whatever the file
    system returns. Links to folders are followed, once each; names that
    start with a dot are left out.

    Args:
        root (str): The folder.

    Yields:
        str: Path relative to ``root``, with ``/``.
    """
    seen = {osp.realpath(root)}

    def walk(folder, prefix):
        with os.scandir(folder) as entries:
            entries = [(e.name + '/' * e.is_dir(), e) for e in entries
                       if not e.name.startswith('.')]
        for name, entry in sorted(entries, key=lambda e: e[0]):
            if not name.endswith('/'):
                if name.lower().endswith(IMAGE_SUFFIXES):
                    yield prefix + name
                continue
            if entry.is_symlink():
                target = osp.realpath(entry.path)
                if target in seen:
                    continue
                seen.add(target)
            yield from walk(entry.path, prefix + name)

    return walk(root, '')


def read_keys(path: str) -> KeyTable:
    """Read a list of keys, in its own order.

    Args:
        path (str): ``.txt``: one key a line, nothing else. ``.pkl``: a
            list, or a dict with ``keys`` (LUPerson's ``keys.pkl`` comes in
            both forms). ``.json``: OpenMMLab's ``{'metainfo': ...,
            'data_list': [{'img_path': ...}]}``.

    Returns:
        KeyTable: The keys.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If its form is none of the above.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(
            f"list file '{path}' not found; a relative ann_file is looked up "
            'in data_root. tools/dataset_converters/build_image_list.py '
            'writes one')
    suffix = osp.splitext(path)[1].lower()
    if suffix == '.txt':
        return KeyTable.from_text(path)
    if suffix == '.pkl':
        with open(path, 'rb') as file:
            keys = pickle.load(file)
        keys = keys['keys'] if isinstance(keys, dict) else keys
    elif suffix == '.json':
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
        keys = (item['img_path'] for item in content['data_list'])
    else:
        raise ValueError(f"list file '{path}' is none of .txt, .pkl, .json")
    return KeyTable(k.decode() if isinstance(k, bytes) else k for k in keys)


class ImageSource(metaclass=ABCMeta):
    """Keys and, for each key, the bytes of an image file.

    Attributes:
        root (str): What the user configured, for messages.
        keys (KeyTable): In canonical order.
    """
    root: str
    keys: KeyTable

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
        if not osp.isdir(root):
            raise FileNotFoundError(
                f"image folder '{root}' not found: set data_root to a folder "
                'of images (sub-folders are searched) or to an LMDB')
        self.root = root
        self.keys = KeyTable(walk_images(root)) if keys is None else keys
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
        ValueError: If it is empty.
    """

    def __init__(self,
                 root: str,
                 keys: Optional[Iterable[str]] = None) -> None:
        self.root = root
        self.path = lmdb_path(root)
        if self.path is None:
            raise FileNotFoundError(f"no data.mdb in '{root}' or "
                                    f"'{root}/lmdb'")
        self._env = self._pid = None
        self.keys = self._find_keys() if keys is None else keys
        if not len(self.keys):
            raise ValueError(f"the LMDB '{self.path}' holds no image; pack "
                             'one with tools/dataset_converters/pack_lmdb.py')

    def _find_keys(self) -> KeyTable:
        for folder in (self.path, osp.dirname(osp.abspath(self.path))):
            path = osp.join(folder, 'keys.pkl')
            if osp.isfile(path):
                return read_keys(path)
        with self._open().begin() as transaction:
            table = KeyTable(
                bytes(key).decode()
                for key in transaction.cursor().iternext(values=False))
        self.close()
        return table

    def _open(self):
        # An environment must not be used across a fork.
        if self._env is None or self._pid != os.getpid():
            import lmdb
            self._env = lmdb.open(
                self.path,
                readonly=True,
                lock=False,
                readahead=False,
                meminit=False)
            self._pid = os.getpid()
        return self._env

    def read(self, key: str) -> bytes:
        with self._open().begin() as transaction:
            value = transaction.get(key.encode('utf-8', 'surrogateescape'))
            if value is None and not key.isascii():
                value = transaction.get(_decomposed(key).encode())
        if value is None:
            raise FileNotFoundError(f"LMDB '{self.path}' has no key '{key}'")
        return value

    def close(self) -> None:
        if self._env is not None and self._pid == os.getpid():
            self._env.close()
        self._env = None

    def __getstate__(self) -> dict:
        return dict(self.__dict__, _env=None)


def lmdb_path(root: str) -> Optional[str]:
    """The folder with ``data.mdb``: ``root``, ``root/lmdb``, or None."""
    for path in (root, osp.join(root, 'lmdb')):
        if osp.isfile(osp.join(path, 'data.mdb')):
            return path
    return None


def build_source(data_root: str,
                 ann_file: str = '',
                 data_prefix: str = '',
                 num_samples: Optional[int] = None) -> ImageSource:
    """Open one source of images.

    Args:
        data_root (str): A folder tree, or an LMDB (recognised by its
            ``data.mdb``).
        ann_file (str): List of keys, see :func:`read_keys`; relative to
            ``data_root``. '' takes all images in canonical order (sorted
            keys). Defaults to ''.
        data_prefix (str): Folder below ``data_root`` which the keys of a
            folder tree are relative to. Defaults to ''.
        num_samples (int, optional): Keep only the first so many keys.
            Defaults to None, all.

    Returns:
        ImageSource: The source.
    """
    keys: Union[KeyTable, None] = None
    if ann_file:
        keys = read_keys(osp.join(data_root, ann_file))
        if not len(keys):
            raise ValueError(f"list file '{osp.join(data_root, ann_file)}' "
                             'names no image')
    if lmdb_path(data_root) is not None:
        source = LmdbSource(data_root, keys)
    else:
        source = FolderSource(osp.join(data_root, data_prefix), keys)
    if num_samples is not None:
        if num_samples < 1:
            raise ValueError(f'num_samples must be at least 1, got '
                             f"{num_samples} for '{data_root}'")
        source.keys = source.keys.head(num_samples)
    return source
