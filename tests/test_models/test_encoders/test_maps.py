import pytest
import torch
from torch import nn

from mmpretrain.registry import MODELS
from saip_mm.models import MapEncoder
from ..tiny_saip import BACKBONES, STARNET, TINYVIT
from .test_base import encoder


@MODELS.register_module()
class FlooringMaps(nn.Module):
    """Two maps of strides 16 and 32, whose last cells are dropped if cut."""

    def forward(self, x):
        fine = nn.functional.avg_pool2d(x, 16)
        return fine, nn.functional.avg_pool2d(x, 32, ceil_mode=True)


@MODELS.register_module()
class PatchMaps(nn.Module):
    """One map of patches of 14 pixels."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 14, 14)

    def forward(self, x):
        return (self.conv(x), )


def test_visible_tokens_keep_their_order():
    model = encoder('starnet').eval()
    mask = torch.tensor([[1, 0, 0, 1, 0, 1, 1, 0], [0, 1, 1, 0, 1, 0, 0, 1]])
    image = torch.randn(2, 3, 64, 32)
    seen = model(image, mask.bool(), ('inner', )).inner
    hidden = mask.view(2, 1, 4, 2).repeat_interleave(16, 2)
    hidden = hidden.repeat_interleave(16, 3)
    every = model(image * (1 - hidden), tokens=('inner', )).inner
    places = [[1, 2, 4, 7], [0, 3, 5, 6]]
    for one, tokens, own in zip(seen, every, places):
        torch.testing.assert_close(one, tokens[own])


def test_a_masked_place_shows_the_mean_colour():
    """Cells row by row, on an image that is wider than high."""
    model = encoder('starnet')
    image = torch.rand(1, 3, 32, 56) + 1
    mask = torch.tensor([[0, 0, 1, 0, 1, 0, 0, 1]]).bool()
    shown, _ = model._hide(image, mask)
    expected = image.clone()
    expected[..., :16, 32:48] = 0  # row 0, column 2
    expected[..., 16:, :16] = 0  # row 1, column 0
    expected[..., 16:, 48:] = 0  # row 1, column 3, of 8 pixels
    assert torch.equal(shown, expected)


def test_image_and_final_tokens_of_the_last_map():
    model = encoder('starnet').eval()
    image = torch.randn(2, 3, 64, 32)
    last = model.backbone(image)[-1]
    expected = nn.functional.layer_norm(last.mean((2, 3)), last.shape[1:2])
    torch.testing.assert_close(model(image).image, expected)
    inner = model.backbone(image)[2].flatten(2).transpose(1, 2)
    torch.testing.assert_close(
        model(image).inner, nn.functional.layer_norm(inner, inner.shape[-1:]))


def test_final_tokens_are_those_the_backbone_ends_with():
    image = torch.randn(2, 3, 64, 32)
    maps = encoder('starnet').eval()
    torch.testing.assert_close(
        maps(image, tokens=('final', )).final,
        maps.backbone(image)[-1].flatten(2).transpose(1, 2))


def test_backbone_without_stride_16_is_named():
    with pytest.raises(ValueError, match='none of 16'):
        MODELS.build(
            dict(
                type='PersonEncoder',
                backbone=BACKBONES['starnet'] | dict(out_indices=(0, 1))))


@pytest.mark.parametrize('backbone', ['starnet', 'tinyvit'])
def test_a_single_value_for_batch_norm_is_named(backbone):
    model = encoder(backbone)
    model(torch.randn(1, 3, 64, 32))
    with pytest.raises(ValueError, match='1 image of 32x16 .*batch_size of 2'):
        model(torch.randn(1, 3, 32, 16))
    model.eval()(torch.randn(1, 3, 32, 16))


def test_other_errors_of_the_backbone_are_passed_on():
    model = MapEncoder(dict(type='FlooringMaps'))
    with pytest.raises(RuntimeError, match='smaller than|too small'):
        model(torch.randn(1, 3, 8, 8))


def test_stride_is_the_backbones_own():
    maps = encoder('starnet', stride=8)
    assert maps.dims.stride == 8
    mask = torch.zeros(1, 32, dtype=torch.bool)
    mask[0, :20] = True
    assert maps.eval()(torch.randn(1, 3, 64, 32), mask).inner.shape[1] == 12


def test_maps_of_a_stride_that_does_not_divide_64():
    model = MapEncoder(dict(type='PatchMaps'), stride=14)
    assert model.dims.stride == 14
    assert model(torch.randn(1, 3, 56, 28)).grid == (4, 2)
    assert model.freeze_unreached(
        {'inner'}) == ['image_norm.weight', 'image_norm.bias']


def test_a_probe_changes_neither_mode_nor_statistics():
    backbone = MODELS.build(BACKBONES['starnet'])
    assert encoder('starnet').backbone.training
    built = encoder('starnet').backbone.state_dict()
    for name, value in backbone.state_dict().items():
        if 'running' in name or 'num_batches' in name:
            assert torch.equal(built[name], value), name


def test_masks_of_cells_that_the_map_has_not_are_refused():
    """ceil(56 / 16) is 4, but this backbone gives 3 rows."""
    model = MapEncoder(dict(type='FlooringMaps'))
    mask = torch.zeros(1, 8, dtype=torch.bool)
    mask[:, :2] = True
    model(torch.randn(1, 3, 64, 32), mask)
    match = 'map of 3x2 cells for images of 56x32, .* has 4x2.*multiples of 16'
    for kind in ('image', 'inner', 'final'):
        with pytest.raises(ValueError, match=match):
            model(torch.randn(1, 3, 56, 32), mask, (kind, ))
    model(torch.randn(1, 3, 56, 32))  # without a mask any side will do


@pytest.mark.parametrize('backbone', [STARNET, TINYVIT])
def test_final_tokens_beside_a_mask_are_refused(backbone):
    """They are of all places; a decoder would take some for visible ones."""
    model = MapEncoder(backbone).eval()
    mask = torch.zeros(1, 8, dtype=torch.bool)
    mask[:, :2] = True
    with pytest.raises(ValueError, match="'final' tokens of hidden places"):
        model(torch.randn(1, 3, 64, 32), mask, ('image', 'final'))
    assert model(torch.randn(1, 3, 64, 32), None,
                 ('final', )).final is not None
