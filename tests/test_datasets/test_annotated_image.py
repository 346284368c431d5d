import io
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from mmpretrain.registry import TRANSFORMS
from saip_mm.datasets.transforms import (BrokenImageError, DecodeImage,
                                         LoadAnnotatedImage, RefusedImageError,
                                         decode_as_labelled, decode_image,
                                         read_orientation, turn)
from saip_mm.datasets.transforms.picture_header import (jpeg_size, read_header,
                                                        read_tags)
from ._images import encode, photo

LOSSLESS = dict(
    PNG={}, WEBP=dict(lossless=True, exact=True), TIFF={})  # yapf: disable
FORMATS = dict(JPEG=dict(quality=100, subsampling=0), **LOSSLESS)
if cv2.haveImageWriter('a.avif'):
    pytest.importorskip('PIL.AvifImagePlugin')
    FORMATS['AVIF'] = dict(quality=100, subsampling='4:4:4')


def save(image, form, orientation=None, **kwargs):
    """File of a Pillow image or an array, with an EXIF orientation."""
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    if orientation:
        exif = Image.Exif()
        exif[0x112] = orientation
        kwargs['exif'] = exif.tobytes()
    out = io.BytesIO()
    image.save(out, form, **{**FORMATS.get(form, {}), **kwargs})
    return out.getvalue()


def by_pillow(data):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        return np.asarray(image.convert('RGBA').convert('RGB'))


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('form', FORMATS)
def test_turned_as_pillow_turns(form, orientation):
    image = photo(40, 30)
    data = save(image, form, orientation)
    expected = by_pillow(data)
    assert read_orientation(data) == orientation
    assert read_header(data).size == (40, 30)
    assert np.array_equal(decode_image(data), expected)
    shown = decode_as_labelled(data, None, 'a')[..., ::-1]
    assert np.array_equal(shown, expected)
    # Labels in the picture as it is shown, and as it is stored.
    shown = decode_as_labelled(data, expected.shape[:2], 'a')[..., ::-1]
    assert np.array_equal(shown, expected)
    stored = decode_as_labelled(data, (40, 30), 'a')[..., ::-1]
    if orientation > 4:
        assert np.array_equal(turn(stored, orientation), expected)
    if form in LOSSLESS and (orientation > 4 or orientation == 1):
        assert np.array_equal(stored, image)


@pytest.mark.parametrize('form', FORMATS)
def test_another_size_is_refused(form):
    data = save(photo(40, 30), form, 6)
    with pytest.raises(ValueError, match='x.img has 40x30 pixels.*50x30'):
        decode_as_labelled(data, (50, 30), 'x.img')


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


def test_reduced_pictures_are_turned_as_well():
    image = photo(400, 300)
    out = decode_image(save(image, 'JPEG', 6), (100, 75))
    small = np.rot90(cv2.resize(image, (75, 100), interpolation=3), -1)
    assert out.shape == (75, 100, 3)
    assert np.abs(out.astype(int) - small).mean() < 4


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


@pytest.mark.parametrize('form', ['PNG', 'WEBP', 'TIFF', 'AVIF', 'GIF'])
def test_alpha_is_left_away_and_colours_stay(form):
    if form == 'AVIF' and 'AVIF' not in FORMATS:
        pytest.skip('no AVIF here')
    image = Image.fromarray(photo(40, 30)).convert('RGBA')
    alpha = np.full((40, 30), 255, np.uint8)
    alpha[10:] = 0
    alpha[5:10] = 128 if form != 'GIF' else 255
    image.putalpha(Image.fromarray(alpha))
    for orientation in (None, 6) if form != 'GIF' else (None, ):
        data = save(image, form, orientation)
        assert np.array_equal(decode_image(data), by_pillow(data))


@pytest.mark.parametrize('form,mode', [
    ('JPEG', 'L'), ('JPEG', 'CMYK'), ('PNG', '1'), ('PNG', 'L'), ('PNG', 'LA'),
    ('PNG', 'P'), ('WEBP', 'L'), ('TIFF', '1'), ('TIFF', 'L'), ('TIFF', 'LA'),
    ('TIFF', 'P'), ('TIFF', 'CMYK'), ('BMP', '1'), ('BMP', 'P'), ('GIF', 'P'),
    ('PPM', 'L')])  # yapf: disable
def test_other_colour_models(form, mode):
    data = save(Image.fromarray(photo(40, 30)).convert(mode), form)
    error = decode_image(data).astype(int) - by_pillow(data)
    assert np.abs(error).max() <= 1


@pytest.mark.parametrize('form', ['PNG', 'TIFF'])
def test_16_bits_are_scaled(form):
    deep = (photo(40, 30)[..., 0].astype(np.uint16) * 257)
    for image in (deep, np.dstack([deep] * 3)):
        data = cv2.imencode(f'.{form.lower()}', image)[1].tobytes()
        for out in (decode_image(data), decode_as_labelled(data, None, 'a')):
            assert np.abs(out[..., 0] - deep / 257).max() < 1


@pytest.mark.parametrize('form', ['GIF', 'WEBP', 'PNG', 'TIFF'])
def test_first_frame_of_a_moving_picture(form):
    frames = [Image.fromarray(np.full((9, 8, 3), v, np.uint8))
              for v in (50, 150)]  # yapf: disable
    data = save(frames[0], form, save_all=True, append_images=frames[1:])
    assert (decode_image(data) == 50).all()


def float_tiff(channels, dtype):
    """Uncompressed TIFF as scientific cameras write it."""
    pixels = np.full((4, 3, channels), .5, dtype)
    tags = [(256, 3, 1, 3), (257, 3, 1, 4), (258, 3, 1, 8 * pixels.itemsize),
            (259, 3, 1, 1), (262, 3, 1, 1 if channels == 1 else 2),
            (273, 4, 1, 8 + 2 + 12 * 10 + 4), (277, 3, 1, channels),
            (278, 3, 1, 4), (279, 4, 1, pixels.nbytes), (339, 3, 1, 3)]
    out = b'II*\0' + (8).to_bytes(4, 'little') + (10).to_bytes(2, 'little')
    for tag, kind, count, value in tags:
        out += b''.join(
            v.to_bytes(n, 'little')
            for v, n in ((tag, 2), (kind, 2), (count, 4), (value, 4)))
    return out + bytes(4) + pixels.tobytes()


@pytest.mark.parametrize('data,values', [
    (float_tiff(1, np.float32), '32-bit float'),
    (float_tiff(3, np.float32), '32-bit float'),
    (float_tiff(1, np.float64), '64-bit float'),
    (float_tiff(3, np.float16), '16-bit float'),
    (cv2.imencode('.tif', np.ones(
        (4, 3), np.int16))[1].tobytes(), '16-bit signed'),
    (b'P5\n# 10 bits\n3 4\n1023\n' + bytes(24), '0 to 1023'),
    (b'Pf\n3 4\n-1.0\n' + bytes(48), 'float'),
])
def test_values_without_a_range_are_refused(data, values):
    message = f'its values are {values}, .*save it with 8 or 16 bits'
    with pytest.raises(RefusedImageError, match=message):
        decode_image(data)
    with pytest.raises(BrokenImageError, match=f'a.tif: {message}'):
        decode_as_labelled(data, None, 'a.tif')


def huge(form):
    """A file of 100 000 x 100 000 pixels, by its header."""
    side = (100_000).to_bytes(4, 'big')
    data = bytearray(save(photo(40, 30), form))
    if form == 'PNG':
        data[16:24] = side * 2
    elif form == 'JPEG':
        at = data.index(b'\xff\xc0')
        data[at + 5:at + 9] = b'\xff\xff\xff\xff'
    elif form == 'WEBP':
        data = bytearray(save(photo(40, 30), form, 1))
        data[24:30] = b'\xff' * 6
    elif form == 'BMP':
        data[18:26] = (100_000).to_bytes(4, 'little') * 2
    elif form == 'GIF':
        data[6:10] = b'\xff' * 4
    elif form == 'PPM':
        data = b'P6\n100000 100000\n255\n' + bytes(100)
    return bytes(data)


@pytest.mark.parametrize('form', ['PNG', 'JPEG', 'WEBP', 'BMP', 'GIF', 'PPM'])
def test_too_many_pixels_are_refused_by_the_header(form, monkeypatch):
    monkeypatch.setattr(cv2, 'imdecode', None)  # must not be used
    data = huge(form)
    with pytest.raises(RefusedImageError, match='limit|exceeds'):
        decode_image(data, (512, 256))
    with pytest.raises(BrokenImageError, match='a.png: .*(limit|exceeds)'):
        decode_as_labelled(data, None, 'a.png')


def test_the_limit_is_an_option():
    data = encode(photo(40, 30))
    message = r'40x30 pixels \(height x width\).*limit of 1199.*max_pixels'
    with pytest.raises(BrokenImageError, match=message):
        DecodeImage(None, max_pixels=1199)(dict(data=data))
    for limit in (1200, None):
        assert DecodeImage(None, limit)(dict(data=data))['img'].size == 3600
    with pytest.raises(ValueError, match='max_pixels'):
        DecodeImage(max_pixels=0)


# PNG's decoder takes its time with some of them
@pytest.mark.parametrize('form', [
    pytest.param(form, marks=pytest.mark.slow) if form == 'PNG' else form
    for form in [*FORMATS, 'GIF', 'BMP', 'PPM']
])
def test_damaged_files_raise_nothing_but_broken(form):
    """Cut anywhere, or with flipped bytes: a picture or one kind of error."""
    image, rng = photo(40, 30), np.random.default_rng(0)
    data = save(image, form)
    shape = image.shape
    for share in (0, .01, .1, .3, .6, .9, .97):
        with pytest.raises(BrokenImageError):
            decode_image(data[:int(share * len(data))])
    for _ in range(150):
        broken = np.frombuffer(data, np.uint8).copy()
        at = rng.integers(len(data), size=2)
        at[0] %= 64  # headers more often than chance
        broken[at] = rng.integers(256, size=2)
        try:
            shape = decode_image(broken.tobytes(), max_pixels=10**6).shape
        except BrokenImageError:
            continue
        assert len(shape) == 3 and shape[2] == 3


def test_undecodable_pictures_are_named():
    for data in (b'', b'text', encode(photo())[:300]):
        with pytest.raises(
                BrokenImageError, match='x.jpg is no picture, or cut short'):
            decode_as_labelled(data, None, 'x.jpg')


def test_transform(tmp_path):
    path = tmp_path / 'a.jpg'
    path.write_bytes(save(photo(40, 30), 'JPEG', 6))
    load = TRANSFORMS.build(dict(type='LoadAnnotatedImage'))
    shown = load(dict(img_path=str(path)))
    assert shown['img'].shape == (30, 40, 3) and shown['img_shape'] == (30, 40)
    stored = load(dict(img_path=str(path), height=40, width=30))
    assert stored['ori_shape'] == (40, 30)
    real = LoadAnnotatedImage(to_float32=True)(dict(img_path=str(path)))
    assert real['img'].dtype == np.float32
    assert np.array_equal(real['img'], shown['img'])
    with pytest.raises(ValueError, match='a.jpg has 40x30'):
        load(dict(img_path=str(path), height=41, width=30))
