import pytest
import torch
from mmengine.runner.checkpoint import load_state_dict
from torch import nn

from mmpretrain.registry import MODELS
from saip_mm.models import EmaExpert
from ..tiny_saip import BACKBONES, TINYVIT, VIT, batch_of_crops, build


def shake(model):
    """Change every student parameter and buffer."""
    with torch.no_grad():
        for value in model.encoder.state_dict(keep_vars=True).values():
            if value.is_floating_point():
                value.add_(torch.rand_like(value))
        for param in model.heads.parameters():
            param.add_(1.)


def expert_token(model, views):
    """The expert's image token of the anchor."""
    answers = model.answers(views)['csm']
    return next(a.tokens.image for a in answers
                if a.request.role == 'expert' and a.request.view == 'anchor')


@pytest.mark.parametrize('backbone', BACKBONES)
def test_average_moves_parameters_and_buffers(backbone):
    model = build(backbone)
    before = {k: v.clone() for k, v in model.expert.state_dict().items()}
    shake(model)
    student = {
        **{
            f'encoder.{k}': v
            for k, v in model.encoder.state_dict().items()
        },
        **{
            f'decoder.{k}': v
            for k, v in model.heads['csm'].decoder.state_dict().items()
        }
    }
    assert before.keys() == student.keys() | {'updates'}
    model.expert.update(model, momentum=0.75)
    after = model.expert.state_dict()
    assert after.pop('updates') == 2  # the first was the copy at the start
    params = dict(model.expert.named_parameters())
    for name, value in after.items():
        if value.is_floating_point():
            old = 0.75 if name in params else 1 / 11
            expected = old * before[name] + (1 - old) * student[name]
            torch.testing.assert_close(value, expected)
        else:
            assert torch.equal(value, student[name])


def test_buffers_end_at_the_momentum_of_the_parameters():
    model = build('starnet')
    model.expert.updates.fill_(10**6)
    name = next(k for k in model.expert.state_dict() if 'running_mean' in k)
    shake(model)
    before = model.expert.state_dict()[name].clone()
    student = model.encoder.state_dict()[name.partition('.')[2]]
    model.expert.update(model, momentum=0.75)
    torch.testing.assert_close(model.expert.state_dict()[name],
                               0.75 * before + 0.25 * student)


@pytest.mark.parametrize('backbone', ['starnet', 'tinyvit'])
def test_expert_tells_images_apart_from_the_first_step_on(backbone):
    model = build(backbone)
    model.train()
    views = model.data_preprocessor(batch_of_crops(), True)['views']
    for _ in range(2):
        losses = model(views, mode='loss')
        assert losses['health/expert_std'] > 0.5 * losses['health/std']
        model.expert.update(model, momentum=0.996)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_expert_starts_equal_to_the_initialised_student(backbone):
    model = build(backbone)
    expert = model.expert.encoder.state_dict()
    for name, value in model.encoder.state_dict().items():
        assert torch.equal(value, expert[name]), name


def test_expert_stays_in_eval_mode_but_for_batch_norm():
    model = build('starnet')
    model.train()
    norms = [isinstance(m, nn.BatchNorm2d) for m in model.expert.modules()]
    assert [m.training for m in model.expert.modules()] == norms
    assert model.encoder.training
    model.eval()
    assert not any(m.training for m in model.expert.modules())
    expert = EmaExpert(batch_norm='ema')
    expert.follow(model.encoder, {})
    expert.train()
    assert not any(m.training for m in expert.modules())
    with pytest.raises(ValueError, match="batch_norm 'group' is unknown"):
        EmaExpert(batch_norm='group')


def test_batches_do_not_enter_the_averaged_statistics():
    model = build('starnet')
    model.train()
    before = {k: v.clone() for k, v in model.expert.state_dict().items()}
    views = model.data_preprocessor(batch_of_crops(), True)['views']
    model.answers(views)
    for name, value in model.expert.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(value, before[name]), name


def test_a_monitor_in_between_changes_nothing():
    model = build('starnet')
    model.train()
    views = model.data_preprocessor(batch_of_crops(), True)['views']
    first = expert_token(model, views)
    model.expert.encoder.train(False)
    again = expert_token(model, views)
    assert torch.equal(first, again)


def test_cached_attention_bias_follows_the_average():
    model = build('tinyvit')
    image = torch.randn(1, 3, 64, 32)
    model.expert.eval()
    before = model.expert.encoder.extract(image)
    with torch.no_grad():
        for name, param in model.encoder.named_parameters():
            if 'attention_biases' in name:
                param.normal_(std=5.)
    model.expert.update(model, momentum=0.)
    model.expert.eval()
    after = model.expert.encoder.extract(image)
    model.encoder.train(False)
    torch.testing.assert_close(after, model.encoder.extract(image))
    assert not torch.allclose(before, after)


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
    with pytest.raises(ValueError, match='AlignmentDecoder'):
        build(
            'vit',
            expert=expert
            | dict(encoder=dict(backbone=TINYVIT, patch_index=1)))
