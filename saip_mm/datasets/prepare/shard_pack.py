"""Pack a source of images into WebDataset's tar shards, or count them."""
import json
import os
import os.path as osp
import re
from typing import BinaryIO, Dict, Iterator, List, Optional, Tuple

import numpy as np
from mmengine.utils import track_iter_progress

from ...version import __version__
from ...weights import write_file
from ..shard_file import need_webdataset, walk_pictures
from ..shard_index import INDEX
from ..sources import IMAGE_SUFFIXES, ImageSource
from .lmdb_pack import read_to_pack
from .output import check_absent, check_writable, whole_folder

# Small enough to fetch one in a second or two and to have a few open, large
# enough that a disk reads in one go.
COUNT = 4096  # images a shard
MEGABYTES = 256  # or so many
# Dots end the sample's name in WebDataset, '..' leads out of a folder that
# someone unpacks into, and '__name__' is left out.
ESCAPED = re.compile(r'[%\x00-\x1f]|^/|^_(?=_)|(?<![^/])\.\.?(?=/)')


def member_name(key: str) -> Tuple[str, str]:
    """Name of an image's sample in a tar file, and its suffix.

    Args:
        key (str): Key of the image.

    Returns:
        tuple[str, str]: The key without suffix, and the suffix without its
        dot, in lower case. What cannot stand in a sample's name is written
        as in addresses (``urllib.parse.unquote`` is the way back).

    Example:
        >>> member_name('a/b.JPG'), member_name('a.b/c.d.png')
        (('a/b', 'jpg'), ('a.b/c%2Ed', 'png'))
    """
    stem, suffix = osp.splitext(key)
    if suffix.lower() not in IMAGE_SUFFIXES:
        stem, suffix = key, '.jpg'  # decoders look at the content
    folder, slash, name = ESCAPED.sub(_escape, stem).rpartition('/')
    return folder + slash + name.replace('.', '%2E'), suffix[1:].lower()


def _escape(match) -> str:
    return ''.join(f'%{ord(c):02X}' for c in match[0])


def pack_shards(source: ImageSource,
                out: str,
                count: int = COUNT,
                megabytes: float = MEGABYTES,
                seed: Optional[int] = 0,
                long_side: Optional[int] = None) -> dict:
    """Write the images of a source to tar shards, mixed.

    ``out/000000.tar`` and so on, with ``out/shards.json`` (WebDataset's form
    of an index), which :class:`PersonImages` opens as ``data_root=out``. The
    same source and settings make the same bytes. The folder appears under
    its name only when it is complete, see
    :func:`~.output.whole_folder`.

    Args:
        source (ImageSource): Folder or LMDB.
        out (str): Folder to write; must not exist.
        count (int): Images of a shard, at most. Defaults to 4096.
        megabytes (float): A shard is full with so many (2^20 bytes), too.
            Defaults to 256.
        seed (int, optional): Of the order: training mixes a few shards at a
            time, so neighbours of a folder should not be together. None
            keeps the source's order. Defaults to 0.
        long_side (int, optional): Shrink larger images to this many pixels
            and re-encode them. Defaults to None: bytes stay as they are.

    Returns:
        dict: ``packed`` (int), ``shards`` (int), ``bytes`` (int) of the
        images, and ``broken`` (list[str]): images left out, with the reason.

    Raises:
        FileExistsError: If ``out`` exists.
        ImportError: If webdataset is not installed.
        OSError: If it cannot be written (disk full, folder not writable).
        ValueError: If a number is below 1, shards are to be fetched in
            random order, or no image could be packed.
    """
    check_absent(out)
    need_webdataset()
    for name, value in dict(
            count=count, megabytes=megabytes, long_side=long_side).items():
        if value is not None and value < 1:
            raise ValueError(f'{name} must be at least 1, got {value}')
    order = np.arange(len(source.keys))
    if seed is not None:
        if not source.random_access:
            raise ValueError(
                f"'{source.root}' would be fetched shard by shard for single "
                'pictures: keep its order (--in-order), or give it a cache')
        order = np.random.default_rng(seed).permutation(order)
    with whole_folder(out) as part:
        return _pack(source, order, part, count, megabytes, long_side)


def _pack(source: ImageSource, order: np.ndarray, part: str, count: int,
          megabytes: float, long_side: Optional[int]) -> dict:
    os.makedirs(part)
    broken: List[str] = []
    shards = _Shards(part, count, int(megabytes * 2**20))
    try:
        for index in track_iter_progress((order, len(order))):
            key = source.keys[int(index)]
            data = read_to_pack(source, key, long_side, broken)
            if data is not None:
                shards.write(key, data)
    finally:
        shards.close()
    if not shards.packed:
        raise ValueError(f"no image of '{source.root}' could be packed, the "
                         f'first being {broken[0]}')
    _write_index(part, shards.index)
    return dict(
        packed=shards.packed,
        shards=len(shards.index),
        bytes=shards.bytes,
        broken=broken)


class _Shards:
    """Shards of a folder, one after the other, each on the disk when full.

    Attributes:
        index (list[dict]): Name, images and bytes of those that are full.
        packed (int): Images so far.
        bytes (int): Of them.
    """

    def __init__(self, folder: str, count: int, size: int) -> None:
        from webdataset import ShardWriter
        self.folder = folder
        self.index: List[dict] = []
        self.packed = self.bytes = 0
        # encoder: bytes as they are; mtime, user: the same file each time
        self.writer = ShardWriter(
            '%06d.tar',
            maxcount=count,
            maxsize=size,
            opener=self._open,
            post=self._full,
            verbose=0,
            encoder=False,
            mtime=0,
            user='',
            group='',
            mode=0o644)

    def _open(self, name: str) -> BinaryIO:
        self.file = open(osp.join(self.folder, name), 'wb')
        self.before, self.sample = self.packed, ''
        return self.file

    def write(self, key: str, data: bytes) -> None:
        """Add an image."""
        sample, suffix = member_name(key)
        if sample == self.sample:  # a.jpg and a.png would be one sample
            sample += f'%2E{suffix}'
        self.sample = sample
        self.writer.write({'__key__': sample, suffix: data})
        self.packed += 1
        self.bytes += len(data)

    def _full(self, name: str) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())
        self.index.append(
            dict(
                url=name,
                nsamples=self.packed - self.before,
                filesize=self.file.tell()))
        self.file.close()

    def close(self) -> None:
        """Finish the last one."""
        try:
            self.writer.close()
        finally:
            self.file.close()


def _write_index(folder: str, shards: List[Dict]) -> None:
    content = dict(
        wids_version=1, tool=f'saip_mm {__version__}', shardlist=shards)
    write_file(
        osp.join(folder, INDEX), f'{json.dumps(content, indent=1)}\n'.encode())


def index_shards(folder: str) -> dict:
    """Count the images of shards made elsewhere, and write their index.

    Args:
        folder (str): Folder of ``*.tar``, in sub-folders too; it gets
            ``shards.json``, an old one is replaced.

    Returns:
        dict: ``packed`` (int) and ``shards`` (int), of those with an image,
        and ``broken`` (list[str]): shards left out, with the reason.

    Raises:
        FileNotFoundError: If there is no such folder, or no tar file in it.
        ImportError: If webdataset is not installed.
        OSError: If the index cannot be written.
        ValueError: If none of them holds an image.
    """
    need_webdataset()
    folder = osp.expanduser(folder)
    names = sorted(_tar_files(folder))
    if not names:
        raise FileNotFoundError(
            f"no .tar file in '{folder}': give the folder the shards are in")
    check_writable(osp.join(folder, INDEX))
    shards, broken = [], []
    for name in track_iter_progress(names):
        path = osp.join(folder, name)
        try:
            with open(path, 'rb') as file:
                count = sum(1 for _ in walk_pictures(file, path))
        except OSError as error:
            broken.append(str(error))
            continue
        if count:
            shards.append(
                dict(url=name, nsamples=count, filesize=osp.getsize(path)))
        else:
            broken.append(f"'{path}' holds no image")
    if not shards:
        raise ValueError(f"no shard in '{folder}' can be used, the first: "
                         f'{broken[0]}')
    _write_index(folder, shards)
    return dict(
        packed=sum(shard['nsamples'] for shard in shards),
        shards=len(shards),
        broken=broken)


def _tar_files(folder: str) -> Iterator[str]:
    for root, _, files in os.walk(folder):
        for name in files:
            if name.endswith('.tar') and not name.startswith('.'):
                path = osp.relpath(osp.join(root, name), folder)
                yield path.replace(os.sep, '/')
