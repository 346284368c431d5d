"""What saip_mm relies on in timm's hierarchical backbones."""
import copy

import pytest
import torch

import saip_mm.models  # noqa: F401
from mmpretrain.registry import MODELS

WIDTHS = dict(
    starnet_s3=(32, 64, 128, 256), tiny_vit_5m_224=(64, 128, 160, 320))
# backbones.md counts 5 493 792 and 5 071 764 with a final norm (512 and 640),
# which features_only leaves out
PARAMETERS = dict(starnet_s3=5493280, tiny_vit_5m_224=5071124)
SIZES = [(256, 128), (128, 64), (192, 96), (320, 160), (224, 224), (112, 56)]


@pytest.fixture(scope='module', params=WIDTHS)
def named(request):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(type='StrideMapBackbone', model_name=request.param))
    model.eval()
    return request.param, model


def test_parameter_count(named):
    name, model = named
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize('size', SIZES)
@torch.no_grad()
def test_maps_at_strides_4_to_32(named, size):
    name, model = named
    maps = model(torch.randn(1, 3, *size))
    shape = list(size)
    expected = []
    for step in range(5):  # each step of stride 2 rounds up
        shape = [-(-side // 2) for side in shape]
        if step:
            expected.append((1, WIDTHS[name][step - 1], *shape))
    assert [tuple(m.shape) for m in maps] == expected


def test_every_parameter_gets_a_gradient(named):
    model = copy.deepcopy(named[1])
    model.train()  # in eval mode TinyViT caches its attention bias
    sum(m.square().mean() for m in model(torch.randn(2, 3, 64, 32))).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name


@torch.no_grad()
def test_bfloat16_forward_is_finite(named):
    with torch.autocast('cpu', torch.bfloat16):
        maps = named[1](torch.randn(1, 3, 64, 32))
    assert all(m.isfinite().all() for m in maps)
