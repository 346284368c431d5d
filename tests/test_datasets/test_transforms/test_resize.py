import math

import numpy as np
import pytest
import torch
from PIL import Image

from mmpretrain.registry import TRANSFORMS
from saip_mm.datasets.transforms import ResizePerson, resize_crop
from .._images import photo


def halved(image):
    """Means of 2x2 pixels, the half rounded up; odd rests are left out."""
    rows, columns = (side // 2 for side in image.shape[:2])
    cells = image[:2 * rows, :2 * columns].astype(np.float64)
    cells = cells.reshape(rows, 2, columns, 2, 3).mean((1, 3))
    return np.floor(cells + .5).astype(np.uint8)


def noise(height, width):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    'height,width,least',
    [
        (100, 50, 45),  # enlarging: the same bicubic kernel but for its a
        (300, 150, 38),
        (600, 280, 38),
        (1300, 640, 38),
    ])
def test_pixels_are_close_to_pillows(height, width, least):
    image = photo(height, width)
    box = (5, 3, height - 11, width - 9)
    out = np.empty((256, 128, 3), np.uint8)
    resize_crop([image], box, out)
    top, left, h, w = box
    target = np.asarray(
        Image.fromarray(image).resize((128, 256),
                                      Image.BICUBIC,
                                      box=(left, top, left + w, top + h)),
        np.float64)
    error = np.mean((out - target)**2)
    assert 10 * math.log10(255**2 / max(error, 1e-9)) > least


@pytest.mark.parametrize('factor, levels', [(2, 2), (4, 3), (8, 4)])
def test_powers_of_two_are_means_of_pixels(factor, levels):
    """And the halvings are kept for the next box."""
    image = noise(8 * 16 + 21, 8 * 24 + 13)
    expected, kept = image, [image]
    for _ in range(levels - 1):
        expected = halved(expected)
    out = np.empty((16, 24, 3), np.uint8)
    box = (9, 6, 16 * factor, 24 * factor)
    assert resize_crop(kept, box, out) is out and len(kept) == levels
    top, left = 9 // factor, 6 // factor
    assert np.array_equal(out, expected[top:top + 16, left:left + 24])
    again = np.empty_like(out)
    resize_crop(kept, box, again)
    assert len(kept) == levels and np.array_equal(out, again)


def test_the_side_that_shrinks_less_tells_the_level():
    """4 times in height and once in width: nothing may be halved."""
    image = noise(64, 24)
    for shape, box in (((16, 24), (0, 0, 64, 24)), ((24, 16), (0, 0, 24, 64))):
        levels = [image if shape == (16, 24) else image.swapaxes(0, 1).copy()]
        out = np.empty((*shape, 3), np.uint8)
        resize_crop(levels, box, out)
        assert len(levels) == 1
        # bilinear: the mean of the two pixels in the middle of four
        picture = levels[0].astype(np.float64)
        if shape == (24, 16):
            out, picture = out.swapaxes(0, 1), picture.swapaxes(0, 1)
        cells = picture.reshape(16, 4, 24, 3)[:, 1:3].mean(1)
        assert np.abs(out - cells).max() <= 0.5


def test_enlarging_is_bicubic():
    image = noise(7, 9)
    out = np.empty((21, 18, 3), np.uint8)
    resize_crop([image], (0, 0, 7, 9), out)
    planes = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    expected = torch.nn.functional.interpolate(
        planes, (21, 18), mode='bicubic').round().clamp(0, 255)
    expected = expected[0].permute(1, 2, 0).numpy()
    assert np.abs(out - expected).max() <= 1


def test_a_box_of_the_very_size_is_copied():
    image = noise(20, 30)
    out = np.empty((8, 12, 3), np.uint8)
    resize_crop([image], (5, 7, 8, 12), out)
    assert np.array_equal(out, image[5:13, 7:19])


def test_persons_are_forced_to_one_size():
    resize = TRANSFORMS.build(dict(type='ResizePerson', size=[8, 24]))
    results = resize(dict(img=noise(16, 48), key='k'))
    assert set(results) == {'inputs', 'key'}
    assert results['inputs'].dtype == torch.uint8
    expected = halved(noise(16, 48)).transpose(2, 0, 1)
    assert np.array_equal(results['inputs'], expected)
    default = ResizePerson()(dict(img=photo()))['inputs']
    assert default.shape == (3, 256, 128)
