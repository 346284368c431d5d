import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from saip_mm.datasets.transforms import label_image


def encoded(array, mode=None, kind='PNG', **kwargs):
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    content = io.BytesIO()
    (image.convert(mode) if mode else image).save(content, kind, **kwargs)
    return content.getvalue()


def packed_png(label, depth, colour_type=0):
    """A PNG of ``depth`` bits a pixel, written byte by byte."""
    height, width = label.shape

    def chunk(kind, data):
        checksum = zlib.crc32(kind + data)
        return struct.pack('>I', len(data)) + kind + data + struct.pack(
            '>I', checksum)

    rows = b''
    for row in label:
        bits = ''.join(f'{value:0{depth}b}' for value in row)
        bits += '0' * (-len(bits) % 8)
        rows += b'\0' + bytes(
            int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
    header = struct.pack('>IIBBBBB', width, height, depth, colour_type, 0, 0,
                         0)
    palette = b''
    if colour_type == 3:
        palette = chunk(b'PLTE', bytes(range(200, 200 + 3 * 2**depth)))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + palette +
            chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


# colour type 0 is grey, 3 a palette
@pytest.mark.parametrize('depth, colour_type', [(1, 0), (2, 0), (4, 0), (8, 0),
                                                (1, 3), (2, 3), (4, 3)])
def test_numbers_of_any_depth(depth, colour_type):
    label = np.random.default_rng(0).integers(0, 2**depth, (7, 11))
    content = packed_png(label, depth, colour_type)
    read = label_image.read_label(content, 'a.png')
    assert (read == label).all() and read.dtype == np.uint8
    assert label_image.label_size(content, 'a.png') == (7, 11)


@pytest.mark.parametrize('kind', ['PNG', 'TIFF'])
def test_numbers_of_16_bits_do_not_wrap(kind):
    label = np.array([[0, 11, 255], [300, 65535, 256]], dtype=np.uint16)
    assert (label_image.read_label(encoded(label, kind=kind),
                                   'a') == label).all()


def noise():
    return np.random.default_rng(0).integers(0, 9, (50, 60), dtype=np.uint8)


@pytest.mark.parametrize('content, error', [
    (b'', r'a.png is an empty file \(0 bytes\): copy it again'),
    (b'hello', r'a.png is cut short or no image \(UnidentifiedImageError'),
    (encoded(noise())[:-20], r'a.png is cut short or no image \(.* bytes\)'),
    (encoded(noise())[:900] + b'IEND', 'a.png is cut short or no image'),
    (encoded(noise(), 'RGB'), r'a.png is a colour image \(mode RGB\)'),
    (encoded(noise(), 'RGBA'), r'a.png is a colour image \(mode RGBA\)'),
    (encoded(noise(), 'LA'), r'a.png holds an alpha channel \(mode LA\)'),
    (encoded(noise(), 'F', kind='TIFF'),
     r'holds numbers with decimals \(mode F\).*save it as an 8-bit PNG'),
    (encoded(noise(), kind='JPEG'), 'a.png is a JPEG, whose compression'),
])  # yapf: disable
def test_what_is_no_label(content, error):
    with pytest.raises(ValueError, match=error):
        label_image.read_label(content, 'a.png')


@pytest.mark.parametrize('mode, channels', [('RGB', 3), ('LA', 2)])
def test_colours_are_told_apart_from_damage(mode, channels):
    with pytest.raises(label_image.ChannelsError) as error:
        label_image.read_label(encoded(noise(), mode), 'a.png')
    assert error.value.channels == channels


def test_the_size_needs_the_header_alone():
    cut = encoded(noise())[:60] + b'IEND'
    assert label_image.label_size(cut, 'a.png') == (50, 60)


def test_a_label_turned_by_exif():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(noise(), exif=exif)
    with pytest.raises(ValueError, match=r'by EXIF \(orientation 6\)'):
        label_image.read_label(content, 'a.png')
    exif[0x0112] = 1
    assert (label_image.read_label(encoded(noise(), exif=exif),
                                   'a') == noise()).all()
