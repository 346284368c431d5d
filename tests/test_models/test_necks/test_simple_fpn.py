import pytest
import torch

import saip_mm.models  # noqa: F401
from mmpretrain.registry import MODELS
from saip_mm.models.necks import SimpleFPN


def test_levels_of_a_detector_picture():
    neck = SimpleFPN(192)
    assert sum(p.numel() for p in neck.parameters()) == 2_664_880
    levels = neck((torch.zeros(1, 1, 1, 1), torch.randn(1, 192, 50, 84)))
    assert [tuple(level.shape) for level in levels] == [(1, 256, 200, 336),
                                                        (1, 256, 100, 168),
                                                        (1, 256, 50, 84),
                                                        (1, 256, 25, 42),
                                                        (1, 256, 13, 21)]


def test_every_parameter_gets_a_gradient():
    neck = SimpleFPN(16, out_channels=8)
    sum(level.square().mean()
        for level in neck([torch.randn(2, 16, 4, 6)])).backward()
    for name, parameter in neck.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_stride_16_level_is_two_normed_convolutions():
    """The level without resampling, restated; eps 1e-6, over channels."""

    def norm(x):
        x = x - x.mean(1, keepdim=True)
        return x / (x.square().mean(1, keepdim=True) + 1e-6).sqrt()

    neck = SimpleFPN(8, out_channels=4, scales=(1, ), num_outs=2).double()
    x = torch.randn(1, 8, 3, 5, dtype=torch.float64)
    first, second = neck.levels[0][0].weight, neck.levels[0][2].weight
    y = norm(torch.einsum('oi,bihw->bohw', first[..., 0, 0], x))
    y = norm(torch.nn.functional.conv2d(y, second, padding=1))
    levels = neck((x, ))
    torch.testing.assert_close(levels[0], y)
    torch.testing.assert_close(levels[1], y[..., ::2, ::2])


def test_named_from_another_library():
    from mmengine.registry import MODELS as ROOT
    neck = ROOT.build(dict(type='mmpretrain.SimpleFPN', in_channels=8))
    assert isinstance(neck, SimpleFPN)
    assert MODELS.get('SimpleFPN') is SimpleFPN


@pytest.mark.parametrize('kwargs', [dict(scales=(4, 3)), dict(num_outs=3)])
def test_scales_it_cannot_make(kwargs):
    with pytest.raises(ValueError, match='SimpleFPN makes scales of'):
        SimpleFPN(8, **kwargs)
