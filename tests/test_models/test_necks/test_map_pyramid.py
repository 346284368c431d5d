import pytest
import torch
from mmengine.registry import MODELS as ROOT

import saip_mm.models  # noqa: F401
from saip_mm.models.necks import HalveLastMap, MapPyramid


def test_maps_of_a_detector_picture():
    """A transformer's 192 channels at stride 16: 0.50 M parameters."""
    neck = MapPyramid(192)
    assert sum(p.numel() for p in neck.parameters()) == 498_288
    maps = neck((torch.zeros(1, 1, 1, 1), torch.randn(1, 192, 50, 84)))
    assert [tuple(m.shape) for m in maps] == [(1, 48, 200, 336),
                                              (1, 96, 100, 168),
                                              (1, 192, 50, 84),
                                              (1, 192, 25, 42)]


def test_maps_restated():
    """Each place of a transposed convolution of 2x2 sees one cell."""
    torch.manual_seed(0)
    neck = MapPyramid(4).double().eval()
    x = torch.randn(2, 4, 3, 5, dtype=torch.float64)
    first, _, _, second = neck.stride_4

    def enlarge(layer, x):
        parts = torch.einsum('bihw,iors->bohrws', x, layer.weight)
        b, o, h, r, w, s = parts.shape
        return parts.reshape(b, o, h * r, w * s) + layer.bias[:, None, None]

    half = enlarge(first, x) / (1 + 1e-5)**0.5  # BatchNorm as it starts
    finest = enlarge(second, torch.nn.functional.gelu(half))
    maps = neck([x])
    torch.testing.assert_close(maps[0], finest)
    torch.testing.assert_close(maps[1], enlarge(neck.stride_8, x))
    assert maps[2] is x
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    window = padded[:, :, 2:5, 4:7]  # about row 3, column 5
    last = torch.einsum('bihw,oihw->bo', window, neck.stride_32.weight)
    torch.testing.assert_close(maps[3][:, :, 1, 2], last + neck.stride_32.bias)


def test_last_map_alone_is_halved():
    """StarNet's 256 channels: 0.59 M parameters."""
    neck = HalveLastMap(256)
    assert sum(p.numel() for p in neck.parameters()) == 590_080
    first, last = torch.randn(1, 8, 8, 6), torch.randn(1, 256, 5, 4)
    kept, halved = neck((first, last))
    assert kept is first and halved.shape == (1, 256, 3, 2)
    torch.testing.assert_close(halved, neck.conv(last))


@pytest.mark.parametrize('neck, maps', [
    (MapPyramid(8), [torch.randn(2, 8, 4, 6)]),
    (HalveLastMap(8), [torch.randn(2, 8, 4, 6)]),
])
def test_every_parameter_gets_a_gradient(neck, maps):
    sum(m.square().mean() for m in neck(maps)).backward()
    for name, parameter in neck.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_named_from_another_library_one_after_the_other():
    """As detectors build a list of necks."""
    neck = ROOT.build([
        dict(type='mmpretrain.MapPyramid', in_channels=8),
        dict(type='mmpretrain.HalveLastMap', channels=8)
    ])
    shapes = [tuple(m.shape) for m in neck([torch.randn(1, 8, 4, 4)])]
    assert shapes == [(1, 2, 16, 16), (1, 4, 8, 8), (1, 8, 4, 4), (1, 8, 1, 1)]


@pytest.mark.parametrize('width', [6, 2, 0])
def test_widths_that_cannot_be_halved_twice(width):
    with pytest.raises(ValueError, match=f'in_channels={width}: a multiple'):
        MapPyramid(width)
