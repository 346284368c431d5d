"""Pack a source of images into an LMDB."""
import os
import os.path as osp
import pickle
import shutil
from typing import Iterator, Optional, Tuple

import cv2
from mmengine.utils import track_iter_progress

from .sources import ImageSource
from .transforms import BrokenImageError, decode_image

MAX_KEY = 511  # bytes, fixed when the lmdb library is compiled
BATCH = 1000  # images a transaction


def shrink_image(data: bytes, long_side: int, quality: int = 95) -> bytes:
    """Re-encode an image whose long side is above a limit.

    Args:
        data (bytes): The file.
        long_side (int): Limit in pixels. Smaller images stay untouched.
        quality (int): Of the JPEG. Defaults to 95.

    Returns:
        bytes: A JPEG, or ``data`` itself.

    Raises:
        BrokenImageError: If ``data`` cannot be decoded.
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


def _records(source: ImageSource, long_side: Optional[int],
             broken: list) -> Iterator[Tuple[bytes, bytes]]:
    # LMDB appends fastest in the order of the bytes, which is Python's
    # order of strings.
    for key in track_iter_progress(sorted(set(source.keys))):
        name = key.encode('utf-8', 'surrogateescape')
        if len(name) > MAX_KEY:
            raise ValueError(f"key '{key}' has {len(name)} bytes, LMDB takes "
                             f'{MAX_KEY}; pack from a deeper folder')
        try:
            data = source.read(key)
            if long_side is not None:
                data = shrink_image(data, long_side)
        except (BrokenImageError, OSError) as error:
            broken.append(f'{key}: {error}')
            continue
        yield name, data


def pack_lmdb(source: ImageSource,
              out: str,
              long_side: Optional[int] = None) -> dict:
    """Write the images of a source to an LMDB, under the same keys.

    The layout is LUPerson's: ``out/lmdb/data.mdb`` and ``out/keys.pkl`` (a
    plain list), which :class:`PersonImages` opens as ``data_root=out``. It
    appears under its name only when it is complete.

    Args:
        source (ImageSource): Folder, or another LMDB.
        out (str): Folder to write; must not exist.
        long_side (int, optional): Shrink larger images to this many pixels
            and re-encode them. That halves the cost of decoding and changes
            pixels. None keeps every byte. Defaults to None.

    Returns:
        dict: ``packed`` (int), ``bytes`` (int) and ``broken`` (list[str]):
        images left out, with the reason.

    Raises:
        FileExistsError: If ``out`` exists.
        ValueError: If a key is too long for LMDB, or no image could be
            packed.
    """
    import lmdb
    if osp.exists(out):
        raise FileExistsError(f"'{out}' exists; remove it or choose another "
                              'folder')
    part = out.rstrip('/\\') + '.part'
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(osp.join(part, 'lmdb'))
    keys, broken, size = [], [], 0
    # The map grows by doubling: a huge one is refused by some disks.
    env = lmdb.open(osp.join(part, 'lmdb'), map_size=1 << 26, sync=False)
    pending, records = [], _records(source, long_side, broken)
    for name, data in records:
        pending.append((name, data))
        size += len(data)
        if len(pending) == BATCH:
            keys += _write(env, pending)
            pending = []
    keys += _write(env, pending)
    env.sync(True)
    env.close()
    if not keys:
        raise ValueError(f"no image of '{source.root}' could be packed, the "
                         f'first being {broken[0]}')
    with open(osp.join(part, 'keys.pkl'), 'wb') as file:
        pickle.dump(keys, file)
    os.replace(part, out)
    return dict(packed=len(keys), bytes=size, broken=broken)


def _write(env, records: list) -> list:
    import lmdb
    while True:
        try:
            with env.begin(write=True) as transaction:
                for name, data in records:
                    transaction.put(name, data, append=True)
            return [n.decode('utf-8', 'surrogateescape') for n, _ in records]
        except lmdb.MapFullError:
            env.set_mapsize(2 * env.info()['map_size'])
