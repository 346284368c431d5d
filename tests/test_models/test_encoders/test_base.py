import pytest
import torch

from mmpretrain.registry import MODELS
from saip_mm.models.encoders import probe_side
from saip_mm.models.tokens import KINDS
from ..tiny_saip import BACKBONES, VIT


def encoder(backbone, **kwargs):
    """A tiny encoder from seed 0, by name or config of the backbone."""
    torch.manual_seed(0)
    if isinstance(backbone, str):
        backbone = BACKBONES[backbone]
    cfg = dict(type='PersonEncoder', backbone=backbone, patch_index=1)
    return MODELS.build(cfg | kwargs)


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


@pytest.mark.parametrize('backbone', BACKBONES)
@pytest.mark.parametrize('hidden, match', [
    ([(0, 1), (2, 3, 4, 5)], 'same number of patches .* got 4 to 6'),
    ([(0, 1, 2), (3, )], 'same number of patches .* got 5 to 7'),
])
def test_masks_that_hide_unequal_numbers_are_refused(backbone, hidden, match):
    """Three an image on average: a view of the rest would fit."""
    mask = torch.zeros(2, 8, dtype=torch.bool)
    for row, places in zip(mask, hidden):
        row[list(places)] = True
    for tokens in KINDS:
        with pytest.raises(ValueError, match=match):
            encoder(backbone)(torch.randn(2, 3, 64, 32), mask, [tokens])


@pytest.mark.parametrize('backbone', BACKBONES)
@pytest.mark.parametrize('mask, match', [
    (torch.zeros(2, 7, dtype=torch.bool), r'must be \(2, 8\) bool.*\(2, 7\)'),
    (torch.zeros(1, 8, dtype=torch.bool), r'must be \(2, 8\) bool.*\(1, 8\)'),
    (torch.zeros(2, 8), r'must be \(2, 8\) bool.*torch.float32'),
])
def test_masks_of_another_form_are_refused(backbone, mask, match):
    with pytest.raises(ValueError, match=match):
        encoder(backbone)(torch.randn(2, 3, 64, 32), mask)


def test_extract_gives_the_image_token():
    model = encoder('vit').eval()
    image = torch.randn(2, 3, 32, 64)
    torch.testing.assert_close(model.extract(image), model(image).image)


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


def test_looking_for_unreached_layers_keeps_the_mode_and_the_statistics():
    model = encoder('starnet')
    model.train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    model.freeze_unreached({'image'})
    assert model.training and model.backbone.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_backbone_that_is_frozen_already_leaves_the_norms():
    model = encoder('vit')
    model.backbone.requires_grad_(False)
    names = ['patch_norm.weight', 'patch_norm.bias']
    assert model.freeze_unreached({'image'}) == names


@pytest.mark.parametrize('patch', [14, 24])
def test_patches_that_do_not_divide_64_are_probed(patch):
    model = encoder(VIT | dict(patch_size=patch))
    assert model.dims.stride == patch
    assert model.freeze_unreached({'image', 'inner'}) == []


def test_a_probe_is_a_multiple_of_every_stride():
    for strides in ((16, ), (14, ), (24, ), (128, ), (16, 14), (32, 14)):
        side = probe_side(*strides)
        assert side >= 64 and all(side % s == 0 for s in strides)
        smaller = range(64, side)
        assert not [n for n in smaller if not any(n % s for s in strides)]
