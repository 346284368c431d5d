import struct

import numpy as np
import pytest
from PIL import Image

from saip_mm.datasets.transforms import (BrokenImageError, RefusedImageError,
                                         decode_image, read_orientation)
from saip_mm.datasets.transforms.picture_header import (jpeg_size, read_header,
                                                        read_tags)
from .._images import FORMATS, by_pillow, encode, photo, save


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('form', FORMATS)
def test_turned_as_pillow_turns(form, orientation):
    data = save(photo(40, 30), form, orientation)
    assert read_orientation(data) == orientation
    assert read_header(data).size == (40, 30)


@pytest.mark.parametrize('form, kind, kwargs', [
    ('JPEG', 'jpeg', {}),
    ('JPEG', 'jpeg', dict(progressive=True)),
    ('PNG', 'png', {}),
    ('WEBP', 'webp', dict(lossless=True)),
    ('WEBP', 'webp', dict(lossless=False)),
    ('TIFF', 'tiff', {}),
    ('TIFF', 'tiff', dict(big_tiff=True)),
    ('GIF', 'other', {}),
    ('BMP', 'other', {}),
    ('PPM', 'other', {}),
])
def test_height_comes_first(form, kind, kwargs):
    """Sides of two bytes, whose order shows as well."""
    image = Image.fromarray(photo(300, 1025))
    header = read_header(save(image, form, **kwargs))
    assert header.kind == kind and header.orientation == 1
    assert header.size == (300, 1025)
    with_alpha = save(image.convert('RGBA'), 'WEBP')  # another header: VP8X
    assert read_header(with_alpha).size == (300, 1025)


def test_riff_files_that_are_no_pictures():
    with pytest.raises(BrokenImageError, match="starting with b'RIFF"):
        read_header(b'RIFF\x24\0\0\0WAVEfmt ' + bytes(40))


def test_jpegs_with_garbage_between_the_segments():
    """libjpeg skips it, and says so; here Pillow finds the frame."""
    data = encode(photo(40, 30))
    behind = 4 + int.from_bytes(data[4:6], 'big')  # the first segment
    garbage = data[:behind] + b'\0\0\0' + data[behind:]
    assert jpeg_size(garbage) is None
    assert read_header(garbage).size == (40, 30)
    bare = data[:2] + b'\xff\x01\xff\xd0' + data[2:]  # TEM and RST0
    assert jpeg_size(bare) == (40, 30)


def test_a_jpeg_that_ends_before_its_frame():
    data = encode(photo(40, 30))
    at = data.index(b'\xff\xc0')
    assert jpeg_size(data[:at + 9]) is None
    assert jpeg_size(data[:at + 20]) == (40, 30)


def test_what_is_no_picture():
    for data in (b'', b'text', b'\x89PNG', b'II*\0', b'\xff\xd8\xff'):
        with pytest.raises(BrokenImageError, match='empty|are no image'):
            read_header(data)
        assert read_orientation(data) == 1
    png = bytearray(save(photo(40, 30), 'PNG'))
    png[20:24] = bytes(4)  # no height
    with pytest.raises(BrokenImageError, match='are no image'):
        read_header(bytes(png))


def test_pillow_refuses_bombs():
    gif = bytearray(save(photo(40, 30), 'GIF'))
    gif[6:10] = b'\xff' * 4
    with pytest.raises(RefusedImageError, match='Pillow: .*exceeds'):
        read_header(bytes(gif))


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('big', [False, True])
@pytest.mark.parametrize('start', [0, 6])
def test_tags_are_read_in_both_forms(order, big, start):
    """A byte, a short, a long, the first of three shorts, and text."""
    magic, offset, count = (43, 'Q', 'Q') if big else (42, 'I', 'H')
    inline = 8 if big else 4
    head = (b'II' if order == '<' else b'MM') + struct.pack(f'{order}H', magic)
    if big:
        head += struct.pack(f'{order}HH', 8, 0)
    first = len(head) + inline
    shorts = struct.pack(f'{order}5H', 7, 8, 9, 10, 11)
    entries = [
        (254, 1, 1, struct.pack('B', 200)),
        (256, 3, 1, struct.pack(f'{order}H', 65535)),
        (257, 4, 1, struct.pack(f'{order}I', 1 << 31)),
        (258, 3, 5, None),  # behind the folder
        (259, 2, 3, b'ab\0'),  # no integer
        (260, 3, 0, b''),  # none of it
        (274, 3, 1, struct.pack(f'{order}H', 6)),
    ]
    size = struct.calcsize(f'={count}') + len(entries) * (20 if big else 12)
    folder = struct.pack(f'{order}{count}', len(entries))
    for tag, kind, length, value in entries:
        if value is None:
            value = struct.pack(f'{order}{offset}', first + size)
        folder += struct.pack(f'{order}HH{offset}', tag, kind, length)
        folder += value.ljust(inline, b'\0')
    data = head + struct.pack(f'{order}{offset}', first) + folder + shorts
    assert read_tags(b'x' * start + data, start) == {
        254: 200, 256: 65535, 257: 1 << 31, 258: 7, 274: 6
    }  # yapf: disable
    cut = read_tags(b'x' * start + data[:-len(shorts) - 20], start)
    assert 274 not in cut and cut[256] == 65535


@pytest.mark.parametrize('order', ['<', '>'])
def test_orientation_of_both_byte_orders_and_after_other_segments(order):
    exif = Image.Exif()
    exif.endian = order
    exif[0x10F], exif[0x112] = 'maker', 8
    data = save(photo(40, 30), 'JPEG', exif=exif.tobytes())
    start, rest = data[:2], data[2:]
    assert read_orientation(data) == 8
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x/>'
    segment = b'\xff\xe1' + (len(xmp) + 2).to_bytes(2, 'big') + xmp
    filled = start + segment + b'\xff\xff' + rest
    assert read_orientation(filled) == 8 and jpeg_size(filled) == (40, 30)
    assert np.array_equal(decode_image(filled), by_pillow(data))


@pytest.mark.parametrize('value', [0, 9, 255, 65535])
def test_orientations_that_do_not_exist_turn_nothing(value):
    for form in FORMATS:
        if form not in ('AVIF', 'TIFF'):
            assert read_orientation(save(photo(40, 30), form, value)) == 1


def test_damaged_exif_is_ignored():
    data = save(photo(40, 30), 'WEBP', 6)
    at = data.index(b'EXIF') + 8
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = np.frombuffer(data, np.uint8).copy()
        broken[at + rng.integers(20, size=3)] = rng.integers(256, size=3)
        assert decode_image(broken.tobytes()).shape in ((40, 30, 3), (30, 40,
                                                                      3))
    assert read_tags(b'') == read_tags(b'II*\0') == {}
