"""Alignment with a frozen expert."""
import copy

import pytest
import torch

from ..tiny_saip import STARNET, TINYVIT, VIT, build, views_of

WIDE = VIT | dict(
    arch=dict(
        embed_dims=24, num_layers=2, num_heads=4, feedforward_channels=32))
EXPERT = dict(type='FrozenExpert', encoder=dict(backbone=WIDE))
DECODER = dict(hidden_dims=16, bottleneck_dims=8)
ALL = dict(image=1., patch=0.5, attention=2., relation=0.25)
STUDENTS = dict(
    vit=dict(
        backbone=VIT | dict(num_heads=2, last_block_heads=4), patch_index=1),
    starnet=dict(
        backbone=STARNET | dict(last_stride=1),
        blocks=dict(dims=16, num_heads=(2, 4))),
    tinyvit=dict(
        backbone=TINYVIT | dict(last_stride=1),
        blocks=dict(dims=16, num_heads=(2, 4), entry='neck')))


def aligned(student='vit', expert=EXPERT, **kwargs):
    head = dict(type='AlignmentHead', decoder=DECODER) | kwargs
    encoder = STUDENTS[student] if isinstance(student, str) else student
    return build(
        encoder=dict(type='PersonEncoder') | copy.deepcopy(encoder),
        expert=copy.deepcopy(expert),
        heads=dict(align=head))


@pytest.mark.parametrize('student', STUDENTS)
def test_every_term_reaches_every_student(student):
    model = aligned(student, terms=ALL).train()
    views = views_of(model)
    assert 'canvas' in views.images
    losses = model(views, mode='loss')
    terms = {k: losses[f'health/align_{k}'] for k in ALL}
    torch.testing.assert_close(losses['loss_align'].detach(),
                               sum(ALL[k] * v for k, v in terms.items()))
    assert all(v > 0 and not v.requires_grad for v in terms.values())
    losses['loss_align'].backward()
    for name, param in model.named_parameters():
        assert (param.grad is not None) is param.requires_grad, name
    assert not any(k.startswith('expert.') for k in model.state_dict())


def test_by_default_image_tokens_and_attention():
    model = aligned(distance='mse')
    views = views_of(model)
    assert 'canvas' not in views.images
    head = model.heads['align']
    asked = {(r.role, r.view): set(r.tokens) for r in head.requests(views)}
    both = {'image', 'attention'}
    assert asked == {
        **{
            (role, view): both
            for role in ('student', 'expert')
            for view in ('anchor', 'scale_1', 'scale_2')
        }, ('student', 'local_1'): {'image'},
        ('student', 'local_2'): {'image'}
    }
    assert set(model(views, mode='loss')) == {
        'loss_align', 'health/align_image', 'health/align_attention',
        'health/std', 'health/expert_std'
    }


@torch.no_grad()
def test_the_image_term_is_of_other_views():
    model = aligned(terms=dict(image=3.)).eval()
    views = views_of(model)
    names = ['anchor', 'scale_1', 'scale_2', 'local_1', 'local_2']
    decoder = model.heads['align'].decoders['image']
    terms = []
    for v in names[:3]:
        target = model.expert.encoder.extract(views.images[v])
        for u in names:
            if u != v:
                code = decoder(model.encoder.extract(views.images[u]))
                terms.append(
                    1 - torch.cosine_similarity(code, target, dim=-1).mean())
    found = model(views, mode='loss')['loss_align']
    torch.testing.assert_close(found, 3 * torch.stack(terms).mean())
    model.heads['align'].own_view = True
    assert model(views, mode='loss')['loss_align'] != found


@torch.no_grad()
def test_the_patch_term_is_of_the_same_view():
    model = aligned(terms=dict(patch=1.), distance='mse').eval()
    views = views_of(model)
    terms = []
    for name in ('anchor', 'scale_1', 'scale_2'):
        image = views.images[name]
        ours = model.encoder(image, tokens=('final', )).final
        theirs = model.expert.encoder(image, tokens=('final', )).final
        code = model.heads['align'].decoders['patch'](ours)
        terms.append((code - theirs).square().mean())
    torch.testing.assert_close(
        model(views, mode='loss')['loss_align'],
        torch.stack(terms).mean())


@pytest.mark.parametrize('kwargs, error', [
    (dict(terms=dict(token=1.)), 'weigh some of'),
    (dict(terms=dict(image=0.)), 'weigh some of'),
    (dict(distance='l1'), "distance 'l1' is unknown"),
    (dict(student=dict(backbone=STARNET)), r'set blocks=dict\( *\)'),
])
def test_what_cannot_be_is_refused(kwargs, error):
    with pytest.raises(ValueError, match=error):
        aligned(**kwargs)


def test_other_grids_are_refused():
    model = aligned(
        dict(backbone=STARNET), terms=dict(patch=1.), distance='mse')
    with pytest.raises(ValueError, match='gives 2 final.*the expert 8'):
        model(views_of(model), mode='loss')
