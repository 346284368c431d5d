"""Pictures in tar files as WebDataset has them: found, and read singly."""
import tarfile
from typing import BinaryIO, Iterator, List, Tuple

import numpy as np

from .sources import IMAGE_SUFFIXES


def need_webdataset() -> None:
    """Say how to install the library if it is missing.

    Raises:
        ImportError: If it is.
    """
    try:
        import webdataset  # noqa: F401
    except ModuleNotFoundError as error:
        raise ImportError('tar shards need the library webdataset: '
                          'pip install "saip_mm[shards]"') from error


def walk_pictures(file: BinaryIO, name: str) -> Iterator[Tuple[int, int]]:
    """Go through a tar file without reading the pictures.

    Members whose names agree up to the first dot behind the last slash are
    one sample, as in WebDataset; its picture is the first member whose
    remaining name is a picture's suffix (``a.jpg``, not ``a.mask.png``).
    Samples without one are left out.

    Args:
        file (BinaryIO): The tar file.
        name (str): Its name, for errors.

    Yields:
        tuple[int, int]: Where a picture's bytes begin, and how many.

    Raises:
        OSError: If it is no tar file, is compressed, or ends early. What
            came before its end has been given by then.
    """
    from webdataset.tariterators import base_plus_ext
    last = None
    try:
        with tarfile.open(fileobj=file, mode='r:') as tar:
            for member in tar:
                if not member.isreg():
                    continue
                sample, suffix = base_plus_ext(member.name)
                if (sample is not None and sample != last
                        and f'.{suffix.lower()}' in IMAGE_SUFFIXES):
                    last = sample
                    yield member.offset_data, member.size
    except tarfile.TarError as error:
        raise OSError(f"shard '{name}' {_fault(file, error)}; pack or copy it "
                      'again') from error


def _fault(file: BinaryIO, error: Exception) -> str:
    file.seek(0)
    start = file.read(4)
    if start[:2] == b'\x1f\x8b' or start[:3] == b'BZh' or start == b'\xfd7zX':
        return ('is compressed; pictures are already, and only a plain tar '
                'file can be read in any order')
    return f'is cut short, or no tar file ({error})'


class ShardFile:
    """A tar file with its pictures at random access.

    Args:
        file (BinaryIO): The file, which is closed with this.
        name (str): Its name, for errors.
        count (int): Pictures that the index says it holds.

    Attributes:
        left (int): How many of ``count`` have not been read yet, if none was
            read twice.
    """

    def __init__(self, file: BinaryIO, name: str, count: int) -> None:
        self.file, self.name, self.left = file, name, count
        places: List[Tuple[int, int]] = []
        try:
            for place in walk_pictures(file, name):
                places.append(place)
        except OSError:
            # walked as far as it goes: those pictures are still good
            if not places:
                file.close()
                raise
        self.places = np.array(places, np.int64).reshape(-1, 2)

    def read(self, position: int) -> bytes:
        """Read a picture's file.

        Args:
            position (int): In the order of the tar file, 0-based.

        Returns:
            bytes: The file.

        Raises:
            OSError: If the tar file ends before it.
        """
        self.left -= 1
        if position < len(self.places):
            start, size = self.places[position].tolist()
            self.file.seek(start)
            data = self.file.read(size)
            if len(data) == size:
                return data
        raise OSError(
            f"shard '{self.name}' has no picture {position}: it holds "
            f'{len(self.places)}, or is cut short. Copy it again, or count '
            'again: pack_shards.py --index FOLDER')

    def close(self) -> None:
        """Close the file."""
        self.file.close()
