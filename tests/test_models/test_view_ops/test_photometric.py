import pytest
import torch
from torchvision.transforms import functional as TF

from saip_mm.models.view_ops import (ColourDraw, apply_colour, draw_colour,
                                     gaussian_blur_, normalising_maps,
                                     solarize_)
from saip_mm.models.view_ops.photometric import _blur_batch, blur_kernels

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def plain(images, factors, order=(0, 1, 2, 3), gray=False):
    """Our chain with unit normalisation: values in [0, 1]."""
    batch = len(images)
    draw = ColourDraw(
        torch.tensor([factors]).float().repeat(batch, 1),
        torch.tensor([order]).repeat(batch, 1), torch.full((batch, ), gray))
    means = images.float().mean((2, 3))
    maps = normalising_maps(draw, means, (0., ) * 3, (1., ) * 3)
    return apply_colour(images, *maps, (0., ) * 3, (1., ) * 3)


@pytest.fixture
def images():
    # mid-range values: no op of these strengths leaves the displayable range
    generator = torch.Generator().manual_seed(0)
    return torch.randint(
        70, 150, (3, 3, 16, 8), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize('index, op', [
    (0, TF.adjust_brightness),
    (1, TF.adjust_contrast),
    (2, TF.adjust_saturation),
])
@pytest.mark.parametrize('factor', [0.6, 1.0, 1.3])
def test_factors_equal_torchvision(images, index, op, factor):
    factors = [1., 1., 1., 0.]
    factors[index] = factor
    expected = torch.stack([op(i.float() / 255, factor) for i in images])
    torch.testing.assert_close(
        plain(images, factors), expected, atol=2e-3, rtol=0)


@pytest.mark.parametrize('order', [(0, 1, 2, 3), (2, 1, 0, 3), (1, 2, 0, 3)])
def test_order_of_the_chain_is_kept(images, order):
    ops = (TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation,
           lambda x, _: x)
    factors = [1.2, 0.7, 1.15, 0.]
    expected = images.float() / 255
    for which in order:
        expected = torch.stack(
            [ops[which](i, factors[which]) for i in expected])
    torch.testing.assert_close(
        plain(images, factors, order), expected, atol=3e-3, rtol=0)


def test_grayscale_equals_torchvision(images):
    expected = TF.rgb_to_grayscale(images.float() / 255, 3)
    torch.testing.assert_close(
        plain(images, (1., 1., 1., 0.), gray=True),
        expected,
        atol=1e-3,
        rtol=0)


def test_hue_keeps_luma_and_turns_colours(images):
    turned = plain(images, (1., 1., 1., 0.1))
    luma = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    torch.testing.assert_close(
        (turned * luma).sum(1), (images / 255 * luma).sum(1),
        atol=1e-3,
        rtol=0)
    assert (turned - images / 255).abs().max() > 0.01
    back = plain((turned * 255).round().byte(), (1., 1., 1., -0.1))
    torch.testing.assert_close(back, images / 255, atol=0.02, rtol=0)


def test_neutral_draw_is_normalisation_alone(images):
    draw = draw_colour(3, jitter_prob=0., gray_prob=0.)
    maps = normalising_maps(draw, images.float().mean((2, 3)), MEAN, STD)
    out = apply_colour(images, *maps, MEAN, STD)
    expected = TF.normalize(images.float() / 255, MEAN, STD)
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=0)


def test_draws_follow_the_recipe():
    torch.manual_seed(0)
    draw = draw_colour(4000)
    jittered = (draw.factors != torch.tensor([1., 1., 1., 0.])).any(1)
    assert abs(jittered.float().mean() - 0.8) < 0.03
    assert abs(draw.gray.float().mean() - 0.2) < 0.03
    low, high = draw.factors.min(0).values, draw.factors.max(0).values
    for found, wanted in ((low, [0.6, 0.6, 0.8,
                                 -0.1]), (high, [1.4, 1.4, 1.2, 0.1])):
        torch.testing.assert_close(
            found, torch.tensor(wanted), atol=0.005, rtol=0)
    assert len({tuple(o) for o in draw.order.tolist()}) == 24


def test_blur_on_cpu_equals_the_convolutions():
    torch.manual_seed(0)
    images = torch.randn(3, 3, 32, 16)
    sigma = torch.tensor([0.5, 0., 2.])
    blurred = gaussian_blur_(images.clone(), sigma)
    assert torch.equal(blurred[1], images[1])
    for i in (0, 2):
        expected = _blur_batch(images[i:i + 1], blur_kernels(sigma[i:i + 1]))
        torch.testing.assert_close(
            blurred[i:i + 1], expected, atol=1e-5, rtol=0)


def test_blur_equals_torchvision():
    torch.manual_seed(0)
    images = torch.randn(1, 3, 32, 16)
    expected = TF.gaussian_blur(images, [7, 7], [1., 1.])
    torch.testing.assert_close(
        gaussian_blur_(images.clone(), torch.tensor([1.])),
        expected,
        atol=1e-5,
        rtol=0)


def test_solarize_equals_torchvision(images):
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    images = images.repeat(2, 3, 1, 1)
    out = TF.normalize(images.float() / 255, MEAN, STD)
    solarize_(out, torch.tensor([True, False]), MEAN, STD)
    expected = torch.stack([TF.solarize(images[0], 128), images[1]])
    torch.testing.assert_close(
        out,
        TF.normalize(expected.float() / 255, MEAN, STD),
        atol=1e-5,
        rtol=0)
