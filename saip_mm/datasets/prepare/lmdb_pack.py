"""Pack a source of images into an LMDB."""
import errno
import os
import os.path as osp
import pickle
from typing import Iterator, List, Optional, Tuple

import cv2
from mmengine.utils import track_iter_progress

from ...weights import write_file
from ..sources import ImageSource
from ..transforms import BrokenImageError, decode_image
from .output import check_absent, whole_folder

MAX_KEY = 511  # bytes, fixed when the lmdb library is compiled
BATCH = 1000  # images a transaction
BATCH_BYTES = 1 << 26  # or so many bytes: they wait in memory


def shrink_image(data: bytes, long_side: int, quality: int = 95) -> bytes:
    """Re-encode an image whose long side is above a limit.

    Args:
        data (bytes): The file.
        long_side (int): Limit in pixels. Smaller images stay untouched.
        quality (int): Of the JPEG. Defaults to 95.

    Returns:
        bytes: A JPEG, or ``data`` itself.

    Raises:
        BrokenImageError: If ``data`` cannot be decoded, or is too large.
    """
    image = decode_image(data)
    scale = long_side / max(image.shape[:2])
    if scale >= 1:
        return data
    image = cv2.resize(
        image, [max(1, round(side * scale)) for side in image.shape[1::-1]],
        interpolation=cv2.INTER_AREA)
    image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode('.jpg', image,
                        [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _names(source: ImageSource) -> List[bytes]:
    """Distinct keys as LMDB takes them, in its order: that of the bytes."""
    names = {key.encode('utf-8', 'surrogateescape') for key in source.keys}
    longest = max(names, key=len)
    if len(longest) > MAX_KEY:
        raise ValueError(f"key '{_text(longest)}' has {len(longest)} bytes, "
                         f'LMDB takes {MAX_KEY}; pack from a deeper folder')
    return sorted(names)


def _text(name: bytes) -> str:
    return name.decode('utf-8', 'surrogateescape')


def _records(source: ImageSource, names: List[bytes], long_side: Optional[int],
             broken: list) -> Iterator[Tuple[bytes, bytes]]:
    for name in track_iter_progress(names):
        data = read_to_pack(source, _text(name), long_side, broken)
        if data is not None:
            yield name, data


def read_to_pack(source: ImageSource, key: str, long_side: Optional[int],
                 broken: list) -> Optional[bytes]:
    """Read a picture that is to be packed.

    Args:
        source (ImageSource): Where it is.
        key (str): Its key.
        long_side (int, optional): See :func:`shrink_image`; None leaves it as
            it is.
        broken (list[str]): Gets the key and the reason if it is unusable.

    Returns:
        bytes, optional: The file, None if it is left out.
    """
    try:
        data = source.read(key)
        if not data:
            raise BrokenImageError('the file is empty')
        return data if long_side is None else shrink_image(data, long_side)
    except (BrokenImageError, OSError) as error:
        broken.append(f'{key}: {error}')
        return None


def pack_lmdb(source: ImageSource,
              out: str,
              long_side: Optional[int] = None) -> dict:
    """Write the images of a source to an LMDB, under the same keys.

    The layout is LUPerson's: ``out/lmdb/data.mdb`` and ``out/keys.pkl`` (a
    plain list), which :class:`PersonImages` opens as ``data_root=out``. It
    appears under its name only when it is complete; until then it grows
    under a hidden name of this process's own beside it, which goes when
    packing fails. What a killed process left the next packing removes.

    Args:
        source (ImageSource): Folder, or another LMDB.
        out (str): Folder to write; must not exist.
        long_side (int, optional): Shrink larger images to this many pixels
            and re-encode them. Defaults to None: bytes stay as they are.

    Returns:
        dict: ``packed`` (int), ``bytes`` (int) and ``broken`` (list[str]):
        images left out, with the reason.

    Raises:
        FileExistsError: If ``out`` exists.
        OSError: If it cannot be written (disk full, folder not writable).
        ValueError: If a key is too long for LMDB, ``long_side`` is below 1,
            or no image could be packed.
    """
    check_absent(out)
    if long_side is not None and long_side < 1:
        raise ValueError(f'long_side must be at least 1, got {long_side}')
    names = _names(source)
    with whole_folder(out) as part:
        return _pack(source, names, part, long_side)


def _pack(source: ImageSource, names: List[bytes], part: str,
          long_side: Optional[int]) -> dict:
    import lmdb
    os.makedirs(osp.join(part, 'lmdb'))
    keys, broken, size = [], [], 0
    try:
        # The map grows by doubling: a huge one is refused by some disks.
        env = lmdb.open(osp.join(part, 'lmdb'), map_size=1 << 26, sync=False)
        with env:
            pending, waiting = [], 0
            for name, data in _records(source, names, long_side, broken):
                pending.append((name, data))
                size += len(data)
                waiting += len(data)
                if len(pending) == BATCH or waiting > BATCH_BYTES:
                    keys += _write(env, pending)
                    pending, waiting = [], 0
            keys += _write(env, pending)
            env.sync(True)
    except lmdb.Error as error:
        raise OSError(errno.EIO, f'LMDB: {error}') from error
    if not keys:
        raise ValueError(f"no image of '{source.root}' could be packed, the "
                         f'first being {broken[0]}')
    write_file(osp.join(part, 'keys.pkl'), pickle.dumps(keys))
    return dict(packed=len(keys), bytes=size, broken=broken)


def _write(env, records: list) -> list:
    import lmdb
    while True:
        try:
            with env.begin(write=True) as transaction:
                for name, data in records:
                    transaction.put(name, data, append=True)
            return [_text(name) for name, _ in records]
        except lmdb.MapFullError:
            env.set_mapsize(2 * env.info()['map_size'])
