import numpy as np
import pytest

from mmpretrain.registry import TRANSFORMS
from saip_mm.datasets.transforms import (BrokenImageError, LoadAnnotatedImage,
                                         RefusedImageError, decode_as_labelled,
                                         turn)
from .._images import FORMATS, LOSSLESS, by_pillow, encode, photo, save


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('form', FORMATS)
def test_turned_as_pillow_turns(form, orientation):
    image = photo(40, 30)
    data = save(image, form, orientation)
    expected = by_pillow(data)
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


def test_a_limit_of_pixels_may_be_given():
    data = encode(photo(40, 30))
    assert decode_as_labelled(data, (40, 30), 'a', 1200).shape == (40, 30, 3)
    with pytest.raises(RefusedImageError, match='a.jpg: 40x30 .* of 1199'):
        decode_as_labelled(data, (40, 30), 'a.jpg', 1199)


def test_a_size_of_which_half_is_missing_tells_nothing(tmp_path):
    path = tmp_path / 'a.jpg'
    path.write_bytes(save(photo(40, 30), 'JPEG', 6))
    for labelled in (dict(height=40), dict(width=30), dict(height=40,
                                                           width=0)):
        shown = LoadAnnotatedImage()(dict(img_path=str(path), **labelled))
        assert shown['img'].shape == (30, 40, 3)
        assert shown['img'].dtype == np.uint8


def test_pictures_are_read_where_mmengine_reads(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(encode(photo(40, 30)))
    load = LoadAnnotatedImage(backend_args=dict(backend='local'))
    assert load(dict(img_path=str(tmp_path / 'a.jpg')))['img'].size == 3600
    with pytest.raises(Exception, match='nowhere'):
        LoadAnnotatedImage(backend_args=dict(backend='nowhere'))(
            dict(img_path=str(tmp_path / 'a.jpg')))


@pytest.mark.parametrize('form', ['BMP', 'PPM', 'GIF', 'PNG'])
def test_channels_are_blue_green_red_in_every_format(form):
    data = save(photo(40, 30), form)
    expected = by_pillow(data)[..., ::-1]
    assert np.array_equal(decode_as_labelled(data, None, 'a'), expected)
