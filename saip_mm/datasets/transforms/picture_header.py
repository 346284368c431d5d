"""What a picture's header says: size and orientation, without decoding."""
import io
import struct
from typing import Dict, NamedTuple, Optional, Tuple

from PIL import Image

Size = Tuple[int, int]  # height, width in pixels

JPEG, PNG, WEBP, TIFF, OTHER = 'jpeg', 'png', 'webp', 'tiff', 'other'
ORIENTATION = 0x0112  # EXIF tag: 1 as stored, 2 to 8 turned or mirrored
WIDTH, HEIGHT, BITS, EXTRA, FORM = 256, 257, 258, 338, 339  # TIFF tags

_EXIF = b'Exif\x00\x00'
# Frame headers: all 0xC0..0xCF but DHT (C4), JPG (C8) and DAC (CC).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset(range(0xD0, 0xD8)) | {0x01}  # markers without length
_JPEG_APP1, _JPEG_FILL = 0xE1, 0xFF
_INTEGERS = {1: 'B', 3: 'H', 4: 'I', 16: 'Q'}  # TIFF's types


class BrokenImageError(ValueError):
    """An image that cannot be used: the data set replaces and counts it."""


class RefusedImageError(BrokenImageError):
    """A whole image of a size or kind that is not taken."""


class PictureHeader(NamedTuple):
    """What is known of a picture before it is decoded.

    Attributes:
        kind (str): 'jpeg', 'png', 'webp', 'tiff' or 'other'.
        size (tuple[int, int]): Height and width in pixels, as stored.
        orientation (int): EXIF's, 1 (as stored) to 8.
        tags (dict): First values of TIFF's tags, where they are integers.
    """
    kind: str
    size: Size
    orientation: int = 1
    tags: Dict[int, int] = {}


def read_header(data: bytes) -> PictureHeader:
    """Read a picture's header.

    Args:
        data (bytes): The file.

    Returns:
        PictureHeader: See there.

    Raises:
        BrokenImageError: If the file is empty or no picture.
    """
    if not data:
        raise BrokenImageError('the file is empty')
    try:
        for start, read in _READERS:
            if data.startswith(start):
                header = read(data)
                break
        else:
            header = _other(data)
    except (struct.error, IndexError, KeyError):
        header = None
    if header is None or min(header.size) < 1:
        raise BrokenImageError(
            f'{len(data)} bytes starting with {data[:8]!r} are no image')
    return header


def jpeg_size(data: bytes) -> Optional[Size]:
    """Read height and width from a JPEG's header, without decoding.

    Args:
        data (bytes): The file.

    Returns:
        tuple[int, int], optional: Height and width in pixels as stored (an
        EXIF rotation is not applied); None if no frame header was found.
    """
    return _jpeg_segments(data)[0]


def read_orientation(data: bytes) -> int:
    """EXIF orientation of a picture of any format, 1 where there is none.

    Args:
        data (bytes): The file; its header alone is read.
    """
    try:
        return read_header(data).orientation
    except BrokenImageError:  # decoding will tell
        return 1


def _jpeg_segments(data: bytes) -> Tuple[Optional[Size], int]:
    """Size and orientation; EXIF has its place before the frame header."""
    orientation, at, end = 0, 2, len(data) - 9
    while at < end and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _JPEG_FRAMES:
            size = (data[at + 5] << 8 | data[at + 6],
                    data[at + 7] << 8 | data[at + 8])
            return size, orientation or 1
        if marker == _JPEG_APP1:
            if not orientation and data[at + 4:at + 10] == _EXIF:
                orientation = _orientation(read_tags(data, at + 10))
        elif marker == _JPEG_FILL:
            at += 1
            continue
        elif marker in _JPEG_BARE:
            at += 2
            continue
        at += 2 + (data[at + 2] << 8 | data[at + 3])
    return None, orientation or 1


def _jpeg(data: bytes) -> Optional[PictureHeader]:
    size, orientation = _jpeg_segments(data)
    if size is None:  # garbage between the segments, which libjpeg skips
        size = _other(data).size
    return PictureHeader(JPEG, size, orientation)


def _png(data: bytes) -> PictureHeader:
    width, height = struct.unpack_from('>II', data, 16)
    orientation, at = 1, 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from('>I4s', data, at)
        if name == b'eXIf':
            orientation = _orientation(read_tags(data, at + 8))
        at += 12 + length
    return PictureHeader(PNG, (height, width), orientation)


def _webp(data: bytes) -> Optional[PictureHeader]:
    if data[8:12] != b'WEBP':
        return _other(data)
    form, orientation = data[12:16], 1
    if form == b'VP8X':
        size = [1 + int.from_bytes(data[i:i + 3], 'little') for i in (27, 24)]
        if data[20] & 8:
            orientation = _webp_orientation(data)
    elif form == b'VP8L':
        bits, = struct.unpack_from('<I', data, 21)
        size = [1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)]
    else:
        width, height = struct.unpack_from('<HH', data, 26)
        size = [height & 0x3FFF, width & 0x3FFF]
    return PictureHeader(WEBP, tuple(size), orientation)


def _webp_orientation(data: bytes) -> int:
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from('<4sI', data, at)
        if name == b'EXIF':
            start = at + 8
            start += 6 * (data[start:start + 6] == _EXIF)
            return _orientation(read_tags(data, start))
        at += 8 + length + length % 2
    return 1


def _tiff(data: bytes) -> PictureHeader:
    tags = read_tags(data)
    return PictureHeader(TIFF, (tags[HEIGHT], tags[WIDTH]), _orientation(tags),
                         tags)


def _other(data: bytes) -> PictureHeader:
    """By Pillow, which reads no further than it must."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            orientation = image.getexif().get(ORIENTATION, 1)
    except Image.DecompressionBombError as error:
        raise RefusedImageError(f'Pillow: {error}') from error
    except Exception as error:  # of any kind: it is a parser of anything
        raise BrokenImageError(
            f'{len(data)} bytes starting with {data[:8]!r} are no image'
        ) from error
    if orientation not in range(1, 9):
        orientation = 1
    return PictureHeader(OTHER, (height, width), orientation)


_READERS = ((b'\xff\xd8',
             _jpeg), (b'\x89PNG', _png), (b'RIFF', _webp), (b'II*\x00', _tiff),
            (b'MM\x00*', _tiff), (b'II+\x00', _tiff), (b'MM\x00+', _tiff))


def _orientation(tags: Dict[int, int]) -> int:
    found = tags.get(ORIENTATION, 1)
    return found if 1 <= found <= 8 else 1


def read_tags(data: bytes, start: int = 0) -> Dict[int, int]:
    """First values of the first folder of tags, as in TIFF and EXIF.

    Args:
        data (bytes): A file.
        start (int): Where the structure begins in it. Defaults to 0.

    Returns:
        dict[int, int]: Of tags which are integers; what comes before the
        structure breaks off.
    """
    tags: Dict[int, int] = {}
    order = {b'II': '<', b'MM': '>'}.get(bytes(data[start:start + 2]))
    try:
        big = struct.unpack_from(f'{order}H', data, start + 2)[0] == 43
        # BigTIFF has 64 bits for offsets and counts.
        at, = struct.unpack_from(order + 'IQ'[big], data, start + (4, 8)[big])
        count, = struct.unpack_from(order + 'HQ'[big], data, start + at)
        at += start + (2, 8)[big]
        for entry in range(at, at + count * (12, 20)[big], (12, 20)[big]):
            tag, form, length = struct.unpack_from(order + 'HH' + 'IQ'[big],
                                                   data, entry)
            value = entry + (8, 12)[big]
            letter = _INTEGERS.get(form)
            if letter is None or not length:
                continue
            if struct.calcsize(f'={letter}') * length > (4, 8)[big]:
                value = start + struct.unpack_from(order + 'IQ'[big], data,
                                                   value)[0]
            tags[tag], = struct.unpack_from(order + letter, data, value)
    except (struct.error, TypeError, OverflowError):
        pass
    return tags
