import pytest
import torch
from mmengine.runner.checkpoint import load_state_dict
from torch import nn

from mmpretrain.registry import MODELS
from saip_mm.models import TokenDims
from ..tiny_saip import (BACKBONES, TINYVIT, VIT, batch_of_crops, build,
                         views_of)
from .test_base import shake


def build_frozen(expert):
    """SAIP* with a tiny ViT and an expert."""
    return build(
        'vit', ('csm', 'csr', 'css'),
        expert=dict(
            type='FrozenExpert', encoder=dict(backbone=expert, patch_index=1)),
        heads=dict(
            csm=dict(
                type='CrossScaleMatchingHead',
                decoder=dict(
                    type='AlignmentDecoder', hidden_dims=16,
                    bottleneck_dims=8)),
            csr=dict(
                type='CrossScaleReconstructionHead',
                decoder=dict(dims=16, depth=1, num_heads=2)),
            css=dict(
                type='CrossScaleSearchHead',
                decoder=dict(dims=16, depth=1, num_heads=2))))


@pytest.mark.parametrize('expert', [VIT, TINYVIT])
def test_frozen_expert_of_another_width(expert):
    model = build_frozen(expert)
    before = {k: v.clone() for k, v in model.expert.named_parameters()}
    losses = model(**model.data_preprocessor(batch_of_crops()), mode='loss')
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    for name, param in model.expert.named_parameters():
        assert param.grad is None and torch.equal(param, before[name])
    assert not any(k.startswith('expert.') for k in model.state_dict())


@pytest.mark.parametrize('expert', BACKBONES)
def test_frozen_expert_keeps_its_weights_and_misses_none(expert):
    model = build_frozen(BACKBONES[expert])
    own = {k: v.clone() for k, v in model.expert.encoder.state_dict().items()}
    assert own
    model.load_state_dict(model.state_dict())  # strict
    load_state_dict(model, model.state_dict(), strict=True)  # mmengine's
    weights = build(expert).state_dict()  # with an expert of its own
    foreign = {k: v + 1 for k, v in weights.items() if k.startswith('expert.')}
    keys = model.load_state_dict(foreign, strict=False)
    assert not any(k.startswith('expert.') for k in keys.missing_keys)
    for key, value in model.expert.encoder.state_dict().items():
        assert torch.equal(value, own[key]), key


def test_frozen_expert_renormalises_its_input():
    expert = MODELS.build(
        dict(
            type='FrozenExpert',
            encoder=dict(backbone=VIT, patch_index=1),
            mean=(120., 110., 100.),
            std=(60., 70., 80.)))
    expert.take_statistics((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    seen = []
    expert.encoder.backbone.patch_embed.register_forward_pre_hook(
        lambda m, args: seen.append(args[0]))
    pixels = torch.rand(1, 3, 64, 32) * 255
    mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
    std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
    expert.encoder.extract((pixels - mean) / std)
    own = (pixels - torch.tensor([120., 110., 100.]).view(
        3, 1, 1)) / torch.tensor([60., 70., 80.]).view(3, 1, 1)
    torch.testing.assert_close(seen[0], own, atol=1e-4, rtol=1e-4)
    assert isinstance(expert.encoder.image_norm, nn.LayerNorm)


def test_statistics_of_the_views_reach_the_expert():
    """LUPerson's own, stated once, in the preprocessor."""
    mean, std = (89.89, 79.20, 80.07), (67.83, 64.31, 63.88)
    views = dict(
        mean=mean, std=std, scale_range=(0.5, 1.5), canvas=dict(size=(64, 64)))
    expert = dict(
        type='FrozenExpert',
        encoder=dict(backbone=VIT, patch_index=1),
        mean=(120., 110., 100.),
        std=(60., 70., 80.))
    csm = dict(
        type='CrossScaleMatchingHead',
        decoder=dict(
            type='AlignmentDecoder', hidden_dims=16, bottleneck_dims=8))
    model = build(
        'vit', expert=expert, data_preprocessor=views, heads=dict(csm=csm))
    for found, expected in zip(model.input_statistics, (mean, std)):
        torch.testing.assert_close(found, expected)
    pixels = torch.rand(2, 3, 8, 8) * 255
    mean, std, own_mean, own_std = (
        torch.tensor(v).view(3, 1, 1)
        for v in (mean, std, expert['mean'], expert['std']))
    args = ((pixels - mean) / std, )
    torch.testing.assert_close(
        model.expert._renormalise(None, args)[0],
        (pixels - own_mean) / own_std,
        atol=1e-4,
        rtol=1e-4)


def test_a_decoder_is_averaged_beside_a_frozen_encoder():
    expert = dict(
        type='FrozenExpert', encoder=dict(backbone=VIT, patch_index=1))
    model = build('vit', expert=expert)
    assert model.expert.trainable_average
    assert not model.expert.averages_encoder
    keys = {k for k in model.state_dict() if k.startswith('expert.')}
    assert keys == {'expert.updates'} | {
        f'expert.decoder.{k}'
        for k in model.heads['csm'].decoder.state_dict()
    }
    frozen = {
        k: v.clone()
        for k, v in model.expert.encoder.state_dict().items()
    }
    old = model.expert.decoder.mlp[0].weight.clone()
    shake(model)
    model.expert.update(model, momentum=0.75)
    torch.testing.assert_close(
        model.expert.decoder.mlp[0].weight,
        .75 * old + .25 * model.heads['csm'].decoder.mlp[0].weight)
    for key, value in model.expert.encoder.state_dict().items():
        assert torch.equal(value, frozen[key]), key
    views = model.data_preprocessor(batch_of_crops(), True)['views']
    model(views, mode='loss')['loss_csm'].backward()
    copy = build('vit', expert=expert)
    copy.load_state_dict(model.state_dict())
    assert torch.equal(copy.expert.decoder.mlp[0].weight,
                       model.expert.decoder.mlp[0].weight)
    assert copy.expert.updates == model.expert.updates == 2


def test_its_widths_are_its_own():
    expert = MODELS.build(
        dict(
            type='FrozenExpert',
            encoder=dict(
                backbone=VIT | dict(
                    patch_size=32,
                    arch=dict(
                        embed_dims=24,
                        num_layers=2,
                        num_heads=2,
                        feedforward_channels=8)),
                patch_index=1)))
    assert expert.dims_for(build().encoder) == TokenDims(24, 24, 24, 32)


def test_views_are_normalised_as_the_expert_is_used_to_unless_told():
    expert = MODELS.build(
        dict(type='FrozenExpert', encoder=dict(backbone=VIT, patch_index=1)))
    expert.take_statistics((10., 20., 30.), (40., 50., 60.))
    image = torch.randn(1, 3, 8, 8)
    torch.testing.assert_close(expert._renormalise(None, (image, ))[0], image)
    expert.own_statistics = (0., 0., 0.), None  # one of the two
    expert.take_statistics((10., 20., 30.), (40., 50., 60.))
    shift = torch.tensor([10 / 40, 20 / 50, 30 / 60]).view(3, 1, 1)
    shifted, mask = expert._renormalise(None, (image, 'mask'))
    torch.testing.assert_close(shifted, image + shift)
    assert mask == 'mask'


def test_tokens_are_normalised_without_weights():
    expert = MODELS.build(
        dict(type='FrozenExpert', encoder=dict(backbone=VIT, patch_index=1)))
    out = expert.encoder(torch.randn(2, 3, 64, 32))
    for tokens in (out.image, out.inner):
        torch.testing.assert_close(
            tokens.mean(-1), torch.zeros(tokens.shape[:-1]), atol=1e-5, rtol=0)
        assert (tokens.var(-1, correction=0) - 1).abs().max() < 0.01
    assert not [n for n, _ in expert.encoder.patch_norm.named_parameters()]


def test_it_is_frozen_from_the_start():
    expert = MODELS.build(
        dict(
            type='FrozenExpert',
            encoder=dict(backbone=BACKBONES['starnet'], patch_index=1)))
    assert not any(p.requires_grad for p in expert.parameters())
    assert not any(m.training for m in expert.modules())


def test_channels_of_a_frozen_expert_are_no_prototypes():
    expert = dict(
        type='FrozenExpert', encoder=dict(backbone=VIT, patch_index=1))
    csm = dict(
        type='CrossScaleMatchingHead',
        decoder=dict(
            type='AlignmentDecoder', hidden_dims=16, bottleneck_dims=8))
    model = build('vit', expert=expert, heads=dict(csm=csm))
    losses = model(views_of(model), mode='loss')
    assert {k
            for k in losses if 'health' in k
            } == {f'health/{k}'
                  for k in ('std', 'expert_std', 'entropy')}
