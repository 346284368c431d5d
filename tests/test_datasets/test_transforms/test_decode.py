from unittest.mock import patch

import cv2
import numpy as np
import pytest
from PIL import Image

from saip_mm.datasets.transforms import (MAX_PIXELS, BrokenImageError,
                                         DecodeImage, RefusedImageError)
from saip_mm.datasets.transforms import decode as decode_module
from saip_mm.datasets.transforms import decode_as_labelled, decode_image, turn
from saip_mm.datasets.transforms.decode import (decode_stored, is_truncated,
                                                jpeg_size, read_header)
from .._images import FORMATS, by_pillow, encode, photo, save


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('form', FORMATS)
def test_turned_as_pillow_turns(form, orientation):
    data = save(photo(40, 30), form, orientation)
    assert np.array_equal(decode_image(data), by_pillow(data))


def test_orientations_of_no_meaning_turn_nothing():
    image = photo(4, 3)
    for orientation in (0, 1, 9):
        assert turn(image, orientation) is image
    for orientation in range(2, 9):
        assert turn(image, orientation).flags['C_CONTIGUOUS']


def test_decoding_gives_rgb_with_either_opencv():
    image = np.zeros((32, 32, 3), np.uint8)
    image[..., 0] = 200
    for rgb in (decode_module._RGB, None):
        with patch.object(decode_module, '_RGB', rgb):
            out = decode_image(encode(image, '.png'))
        assert np.array_equal(out, image)
    assert abs(int(decode_image(encode(image))[0, 0, 0]) - 200) < 4


def test_grey_alpha_and_16_bit_become_three_channels():
    grey = cv2.imencode('.png', photo()[..., 0])[1].tobytes()
    alpha = cv2.imencode('.png', np.full((9, 9, 4), 7, np.uint8))[1].tobytes()
    deep = cv2.imencode('.png', np.full((9, 9, 3), 999,
                                        np.uint16))[1].tobytes()
    for data in (grey, alpha, deep):
        out = decode_image(data)
        assert out.shape[2] == 3 and out.dtype == np.uint8


@pytest.mark.parametrize('min_size,height', [(None, 1200), ((601, 1), 1200),
                                             ((600, 300), 600),
                                             ((300, 151), 600),
                                             ((300, 150), 300),
                                             ((150, 75), 150), ((1, 1), 150)])
def test_reduced_decoding_keeps_the_size_needed(min_size, height):
    data = encode(photo(1200, 600))
    assert jpeg_size(data) == (1200, 600)
    out = DecodeImage(min_size)(dict(data=data))['img']
    assert out.shape == (height, height // 2, 3)


@pytest.mark.parametrize('data', [
    b'',
    b'not an image',
    encode(photo())[:-1],
    encode(photo())[:400],
    encode(photo())[:3],
    encode(photo(), '.png')[:-20],
    encode(photo(), '.png')[:30],
])
def test_broken_bytes(data):
    with pytest.raises(BrokenImageError):
        decode_image(data)


def test_bytes_after_the_end_do_no_harm():
    data = encode(photo())
    assert np.array_equal(decode_image(data + b'tail'), decode_image(data))


def test_bad_min_size():
    with pytest.raises(ValueError, match='min_size'):
        DecodeImage((256, ))


def test_reduced_pictures_are_turned_as_well():
    image = photo(400, 300)
    out = decode_image(save(image, 'JPEG', 6), (100, 75))
    small = np.rot90(cv2.resize(image, (75, 100), interpolation=3), -1)
    assert out.shape == (75, 100, 3)
    assert np.abs(out.astype(int) - small).mean() < 4


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


@pytest.mark.parametrize('shape, min_size, expected', [
    ((600, 1200), (300, 600), (300, 600)),
    ((600, 1200), (300, 601), (600, 1200)),
    ((600, 1200), (301, 600), (600, 1200)),
    ((600, 1200), (150, 600), (300, 600)),
    ((1201, 601), (600, 300), (601, 301)),
    ((1199, 600), (600, 300), (1199, 600)),
    ((600, 1199), (300, 600), (600, 1199)),
    ((1200, 600), (75, 37), (150, 75)),
])
def test_both_sides_stay_above_the_limit(shape, min_size, expected):
    """OpenCV rounds up, the limit is held by the floor of the half."""
    out = decode_image(encode(photo(*shape)), min_size)
    assert out.shape[:2] == expected


def test_only_jpegs_are_reduced():
    image = photo(400, 200)
    assert decode_image(encode(image, '.png'), (50, 25)).shape == image.shape


def test_defaults_of_decoding():
    for height, decoded in ((1024, 512), (1023, 1023)):
        data = encode(photo(height, 512))
        assert DecodeImage()(dict(data=data))['img'].shape[0] == decoded
        assert decode_image(data).shape[0] == height
    assert DecodeImage().max_pixels == MAX_PIXELS
    assert 3 * MAX_PIXELS <= 512 << 20 < 3 * (MAX_PIXELS + 1)


def test_the_limit_of_pixels_counts_both_sides(monkeypatch):
    data = encode(photo(40, 30), '.png')
    assert decode_image(data, None, 1200).shape == (40, 30, 3)
    with pytest.raises(RefusedImageError, match='limit of 1199'):
        decode_image(data, None, 1199)


@pytest.mark.parametrize(
    'data, cut',
    [
        (b'\xff\xd8..\xff\xda..\xff\xd9', False),
        (b'\xff\xd8..\xff\xda..\xff\xd9tail', False),
        (b'\xff\xd8..\xff\xda..', True),
        (b'\xff\xd8.\xff\xd9.\xff\xda..', True),  # a thumbnail's end
        (b'\xff\xd8.\xff\xda.\xff\xd9.\xff\xda..', True),  # progressive
        (b'\x89PNG....IEND....', False),
        (b'\x89PNG....', True),
        (b'BM....', False),
    ])
def test_files_that_end_too_early(data, cut):
    assert is_truncated(data) is cut


@pytest.mark.parametrize('min_size', [(256, ), (0, 5), (5, 0), (1, 2, 3)])
def test_min_size_is_a_height_and_a_width(min_size):
    with pytest.raises(ValueError, match='min_size must be'):
        DecodeImage(min_size)
    assert DecodeImage((1, 1), 1).min_size == (1, 1)


def test_decoding_reads_the_file_where_no_bytes_are_given(tmp_path):
    path = tmp_path / 'person.png'
    path.write_bytes(encode(photo(seed=1), '.png'))
    results = DecodeImage()(dict(img_path=str(path)))
    assert np.array_equal(results['img'], photo(seed=1))
    other = DecodeImage()(
        dict(data=encode(photo(seed=2), '.png'), img_path=str(path)))
    assert np.array_equal(other['img'], photo(seed=2))  # bytes come first


@pytest.mark.parametrize('form', ['BMP', 'GIF', 'JPEG', 'PNG', 'TIFF'])
def test_channels_of_a_stored_picture(form):
    """Red first if asked for, blue first if not, in formats of all kinds."""
    data = save(photo(40, 30), form)
    header = read_header(data)
    red_first = decode_stored(data, header, rgb=True)
    assert np.array_equal(red_first, decode_image(data))
    blue_first = decode_stored(data, header, rgb=False)
    assert np.array_equal(blue_first, red_first[..., ::-1])
