import copy

import pytest
import torch
import torch.nn.functional as F

from mmpretrain.registry import MODELS
from saip_mm.models.encoders.semantic import (SemanticController,
                                              controlled_sites)
from ..tiny_saip import BACKBONES

WIDTHS = dict(vit=[16, 16], starnet=[16, 32, 64], tinyvit=[16, 32, 64])


def encoder(backbone, **kwargs):
    torch.manual_seed(0)
    built = MODELS.build(
        dict(
            type='SemanticEncoder',
            backbone=BACKBONES[backbone],
            patch_index=1,
            **kwargs))
    built.init_weights()
    for controller in built.controllers:  # at the start they differ by 2 %
        for layer in (controller.gain, controller.shift):
            torch.nn.init.normal_(layer.weight, std=0.5)
    built.train(False)
    return built


def test_gain_and_shift_are_the_formulas():
    torch.manual_seed(0)
    controller = SemanticController(5)
    gain, shift = controller.affine(torch.tensor([0.3]))
    told = torch.tensor([0.3, 0.7])
    torch.testing.assert_close(
        gain[0], (1 + (controller.gain.weight @ told).exp()).log())
    torch.testing.assert_close(shift[0], controller.shift.weight @ told)
    assert (gain - 0.693).abs().max() < 0.05  # softplus(0)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_sites(backbone):
    sites = controlled_sites(encoder(backbone).backbone)
    assert [width for _, width in sites] == WIDTHS[backbone]


def test_sites_of_the_recipe():
    """Blocks 3, 6 and 9 of twelve; widths at strides 8, 16, 32."""
    cases = {
        'vit':
        dict(
            type='GridVisionTransformer',
            arch='deit-tiny',
            img_size=(64, 32),
            patch_size=16),
        'starnet_s3':
        dict(type='StrideMapBackbone', model_name='starnet_s3'),
        'tiny_vit':
        dict(type='StrideMapBackbone', model_name='tiny_vit_5m_224')
    }
    found = {
        name: controlled_sites(MODELS.build(cfg))
        for name, cfg in cases.items()
    }
    assert found['vit'] == [(f'layers.{i}', 192) for i in (2, 5, 8)]
    assert [w for _, w in found['starnet_s3']] == [64, 128, 256]
    assert [w for _, w in found['tiny_vit']] == [128, 160, 320]


def test_unknown_backbone_is_refused():
    with pytest.raises(ValueError, match='ResNet has no places known'):
        MODELS.build(
            dict(
                type='SemanticEncoder',
                backbone=dict(
                    type='ResNet', depth=18, out_indices=(0, 1, 2, 3))))
    with pytest.raises(ValueError, match='from 0 .looks. to 1'):
        encoder('vit', semantic_weight=1.5)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_each_controller_changes_the_output(backbone):
    model = encoder(backbone)
    image = torch.randn(2, 3, 64, 32)
    kinds = ('image', 'inner', 'final')
    before = model(image, tokens=kinds)
    for controller in model.controllers:
        saved = copy.deepcopy(controller.state_dict())
        controller.gain.bias.data += torch.randn_like(controller.gain.bias)
        after = model(image, tokens=kinds)
        assert not torch.equal(before.image, after.image)
        assert not torch.equal(before.final, after.final)
        controller.load_state_dict(saved)
    assert torch.equal(model(image, tokens=kinds).image, before.image)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_each_image_has_its_own_lambda(backbone):
    model = encoder(backbone, semantic_weight=0.25)
    image = torch.randn(3, 3, 64, 32)
    told = torch.tensor([0., 1., 0.25])
    together = model(image, condition=told).image
    for i in range(3):
        alone = model(image[i:i + 1], condition=told[i:i + 1]).image
        torch.testing.assert_close(
            together[i:i + 1], alone, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(together[0], model(image).image[0], atol=1e-4)
    torch.testing.assert_close(
        together[2], model.extract(image)[2], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_a_copy_has_controllers_of_its_own(backbone):
    """The expert's hooks must not call the student's controllers."""
    model = encoder(backbone)
    twin = copy.deepcopy(model)
    image = torch.randn(2, 3, 64, 32)
    before = model.extract(image)
    torch.testing.assert_close(twin.extract(image), before)
    for param in twin.controllers.parameters():
        param.data.normal_()
    assert torch.equal(model.extract(image), before)
    assert not torch.allclose(twin.extract(image), before, atol=1e-4)


def test_backbone_alone_is_untouched():
    model = encoder('starnet')
    plain = MODELS.build(dict(BACKBONES['starnet']))
    plain.load_state_dict(model.backbone.state_dict())
    plain.train(False)
    image = torch.randn(2, 3, 64, 32)
    for ours, theirs in zip(model.backbone(image), plain(image)):
        assert torch.equal(ours, theirs)


def test_map_is_scaled_behind_the_norm():
    """By hand: what leaves the first down-sampling."""
    model = encoder('starnet')
    image, seen = torch.randn(2, 3, 64, 32), []
    site = dict(model.backbone.named_modules())[model.sites[0][0]]
    handle = site.bn.register_forward_hook(lambda m, a, out: seen.append(out))
    site.register_forward_hook(lambda m, a, out: seen.append(out))
    model(image, condition=torch.tensor([0., 1.]))
    handle.remove()
    for i, told in enumerate(torch.tensor([[0., 1.], [1., 0.]])):
        gain, shift = (
            layer(told) for layer in (model.controllers[0].gain,
                                      model.controllers[0].shift))
        expected = (
            seen[0][i] * F.softplus(gain)[:, None, None] +
            shift[:, None, None])
        torch.testing.assert_close(seen[1][i], expected)
