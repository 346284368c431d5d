import pytest
import torch

from mmpretrain.registry import MODELS
from saip_mm.models.encoders import gather_visible
from saip_mm.models.tokens import KINDS
from ..tiny_saip import BACKBONES, VIT


def encoder(backbone, **kwargs):
    torch.manual_seed(0)
    cfg = dict(
        type='PersonEncoder', backbone=BACKBONES[backbone],
        patch_index=1) | kwargs
    return MODELS.build(cfg)


@pytest.mark.parametrize('backbone', BACKBONES)
@pytest.mark.parametrize('size', [(64, 32), (32, 64), (96, 48), (48, 48)])
def test_contract_at_any_size(backbone, size):
    model = encoder(backbone)
    out = model(torch.randn(2, 3, *size))
    assert out.grid == (size[0] // 16, size[1] // 16)
    assert out.image.shape == (2, model.dims.image)
    assert out.inner.shape == (2, out.grid[0] * out.grid[1], model.dims.inner)
    assert out.final is None
    final = model(torch.randn(2, 3, *size), tokens=['final']).final
    stride = 16 if backbone == 'vit' else 32
    cells = -(-size[0] // stride) * -(-size[1] // stride)
    assert final.shape == (2, cells, model.dims.final)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_only_what_is_asked_for(backbone):
    model = encoder(backbone).eval()
    image = torch.randn(2, 3, 64, 32)
    both = model(image, tokens=KINDS)
    for wish in KINDS:
        out = model(image, tokens=(wish, ))
        for name in KINDS:
            if name == wish:
                torch.testing.assert_close(
                    getattr(out, name), getattr(both, name))
            else:
                assert getattr(out, name) is None


@pytest.mark.parametrize('backbone', BACKBONES)
def test_masked_pixels_are_never_seen(backbone):
    model = encoder(backbone).eval()
    image = torch.randn(2, 3, 64, 32)
    mask = torch.zeros(2, 8, dtype=torch.bool)
    mask[0, [0, 3, 5]] = mask[1, [1, 2, 7]] = True
    out = model(image, mask, tokens=('inner', ))
    assert out.inner.shape == (2, 5, model.dims.inner)
    assert out.grid == (4, 2)
    hidden = mask.view(2, 1, 4, 2).repeat_interleave(16, 2)
    hidden = hidden.repeat_interleave(16, 3).expand(2, 3, 64, 32)
    changed = torch.where(hidden, torch.randn_like(image), image)
    torch.testing.assert_close(
        model(changed, mask, tokens=('inner', )).inner, out.inner)


def test_visible_tokens_keep_their_order():
    tokens = torch.arange(8.).view(2, 4, 1)
    mask = torch.tensor([[True, False, False, True],
                         [False, True, True, False]])
    assert gather_visible(tokens, mask).flatten().tolist() == [1, 2, 4, 7]


def test_patch_index_outside_the_depth_is_named():
    with pytest.raises(ValueError, match='patch_index 3 is outside the 3'):
        MODELS.build(dict(type='PersonEncoder', backbone=VIT, patch_index=3))


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


def test_final_tokens_are_those_the_backbone_ends_with():
    image = torch.randn(2, 3, 64, 32)
    plain = encoder('vit').eval()
    plain.backbone.out_type = 'raw'
    torch.testing.assert_close(
        plain(image, tokens=('final', )).final,
        plain.backbone(image)[-1][:, 1:])
    maps = encoder('starnet').eval()
    torch.testing.assert_close(
        maps(image, tokens=('final', )).final,
        maps.backbone(image)[-1].flatten(2).transpose(1, 2))


def test_stride_is_the_backbones_own():
    for patch, cells in ((16, 8), (32, 2)):
        model = MODELS.build(
            dict(
                type='PlainEncoder',
                backbone=VIT | dict(patch_size=patch),
                patch_index=1))
        assert model.dims.stride == patch
        assert model(torch.randn(1, 3, 64, 32)).inner.shape[1] == cells
    maps = encoder('starnet', stride=8)
    assert maps.dims.stride == 8
    mask = torch.zeros(1, 32, dtype=torch.bool)
    mask[0, :20] = True
    assert maps.eval()(torch.randn(1, 3, 64, 32), mask).inner.shape[1] == 12


def test_unreached_layers_are_frozen_and_named():
    model = encoder('vit')
    names = model.freeze_unreached({'inner'})
    params = dict(model.named_parameters())
    assert 'backbone.ln1.weight' in names
    assert any(n.startswith('backbone.layers.2.') for n in names)
    assert not any(n.startswith('backbone.layers.1.') for n in names)
    assert all(not params[n].requires_grad for n in names)
    assert encoder('vit').freeze_unreached({'final', 'inner'}) == []
    assert encoder('vit').freeze_unreached(
        {'image'}) == ['patch_norm.weight', 'patch_norm.bias']
