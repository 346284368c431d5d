from types import SimpleNamespace

import pytest
import torch

from saip_mm.models.view_ops import resize_crops


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(
        70, 150, (3, 3, 16, 8), dtype=torch.uint8, generator=generator)


@pytest.fixture
def edges():
    """Black beside white: the kernel shoots over both."""
    picture = torch.zeros(2, 3, 16, 8, dtype=torch.uint8)
    picture[..., 4:] = 255
    picture[1, :, ::2] = 255
    return picture


def elsewhere(images):
    """Images as on an accelerator, which takes the float way."""
    return SimpleNamespace(
        shape=images.shape,
        dtype=images.dtype,
        device=SimpleNamespace(type='cuda'),
        float=images.float)


def test_resize_agrees_with_the_float_way(images):
    wide = resize_crops(images, (24, 12))
    expected = torch.nn.functional.interpolate(
        images.float(), (24, 12), mode='bicubic', antialias=True)
    assert wide.dtype == torch.uint8
    assert (wide.float() - expected.round().clamp(0, 255)).abs().max() <= 1
    assert resize_crops(images, (16, 8)) is images


@pytest.mark.parametrize('size', [(24, 12), (8, 4), (16, 12), (12, 24)])
def test_overshoots_are_cut_off_on_every_device(edges, size):
    """255 + 20 is no dark grey."""
    kernel = dict(size=size, mode='bicubic', antialias=True)
    exact = torch.nn.functional.interpolate(edges.double(), **kernel)
    if size != (8, 4):
        assert exact.min() < -1 and exact.max() > 256
    expected = exact.round().clamp(0, 255)
    here = resize_crops(edges, size)
    there = resize_crops(elsewhere(edges), size)
    for found in (here, there):
        assert found.dtype == torch.uint8 and found.shape == (2, 3, *size)
    assert (there.double() - expected).abs().max() <= 1
    # where edges cross, the uint8 kernel cuts off between its two passes
    for found, image, bound in zip(here, expected, (1, 16)):
        assert (found.double() - image).abs().max() <= bound


def test_height_comes_first(images):
    assert resize_crops(images, [8, 16]).shape == (3, 3, 8, 16)
    assert resize_crops(images, [16, 8]) is images
