import pytest
import torch

from saip_mm.models import (Answer, CrossScaleMatchingHead, TokenDims, Tokens,
                            Views)
from ..tiny_saip import build, total, views_of

DIMS = TokenDims(6, 6, 6, 16)
DECODER = dict(
    type='ImageDecoder', hidden_dims=8, bottleneck_dims=4, num_prototypes=12)


def head(**kwargs):
    torch.manual_seed(0)
    return CrossScaleMatchingHead(DIMS, DIMS, DECODER, **kwargs).double()


def test_defaults_are_dinos():
    csm = head()
    assert (csm.student_temperature, csm.expert_temperature) == (0.1, 0.04)
    assert (csm.centering, csm.center_momentum) == ('mean', 0.9)
    assert csm.loss_weight == 1 and csm.loss_name == 'loss_csm'
    assert csm.center.shape == (12, ) and (csm.center == 0).all()


def test_targets_are_centred_and_sharpened():
    csm = head(expert_temperature=0.5)
    csm.center.copy_(torch.randn(12))
    raw = torch.randn(2, 3, 12, dtype=torch.float64)
    targets = csm._targets(raw)
    for view in range(2):
        for image in range(3):
            weights = [((value - centre) / 0.5).exp()
                       for value, centre in zip(raw[view, image], csm.center)]
            expected = torch.stack(weights) / sum(weights)
            torch.testing.assert_close(targets[view, image], expected)


def test_health_is_that_of_the_anchor():
    model = build('vit', ('csr', 'css')).eval()
    views = views_of(model)
    losses = model(views, mode='loss')
    csm = model.heads['csm']
    ours = model.encoder.extract(views.images['anchor'])
    theirs = model.expert.encoder.extract(views.images['anchor'])
    for name, tokens in (('std', ours), ('expert_std', theirs)):
        codes = tokens / tokens.norm(dim=1, keepdim=True)
        deviation = (codes - codes.mean(0)).square().mean(0).sqrt().mean()
        torch.testing.assert_close(losses[f'health/{name}'], deviation)
    targets = torch.cat([
        csm._targets(
            model.expert.decoder(
                model.expert.encoder.extract(views.images[name])))
        for name in ('anchor', 'scale_1', 'scale_2')
    ])
    entropy = -(targets * targets.log()).sum(1).mean()
    torch.testing.assert_close(losses['health/entropy'], entropy)
    used = len(set(targets.argmax(1).tolist()))
    assert losses['health/prototypes'] == used
    assert not any(losses[k].requires_grad for k in losses if 'health' in k)


def test_center_moves_in_training_only():
    model = build('vit')
    views = views_of(model)
    center = model.heads['csm'].center
    model.eval()
    model(views, mode='loss')
    assert (center == 0).all()
    model.train()
    tokens = torch.cat([
        a.tokens.image for a in model.answers(views)['csm']
        if a.request.role == 'expert'
    ])
    mean = model.expert.decoder(tokens).mean(0)
    model(views, mode='loss')
    torch.testing.assert_close(center, 0.1 * mean)


def test_balanced_targets_need_no_center():
    model = build('vit')
    head = model.heads['csm']
    head.centering = 'sinkhorn'
    losses = model(views_of(model), mode='loss')
    assert (head.center == 0).all()
    assert losses['health/prototypes'] > 1
    total(losses).backward()
    with pytest.raises(ValueError, match="centering 'median' is unknown"):
        CrossScaleMatchingHead(
            TokenDims(6, 6, 6, 16), TokenDims(6, 6, 6, 16), centering='median')


def test_pairs_of_equation_1_to_the_letter():
    """The anchor against each scale; each pair counts the same."""
    model = build('vit').eval()
    head = model.heads['csm']
    head.expert_views, head.student_views = ['scale_1', 'scale_2'], ['anchor']
    views = views_of(model)
    loss = model(views, mode='loss')['loss_csm']
    logits = head.decoder(model.encoder.extract(views.images['anchor'])) / 0.1
    terms = []
    for name in head.expert_views:
        token = model.expert.encoder.extract(views.images[name])
        target = (model.expert.decoder(token) / 0.04).softmax(-1)
        terms.append(-(target * logits.log_softmax(-1)).sum(-1).mean())
    torch.testing.assert_close(loss, sum(terms) / 2)
    loss.backward()
    assert head.decoder.prototypes.weight.grad is not None


# health

WIDE = TokenDims(8, 8, 8, 16)


def matching_of(**kwargs):
    torch.manual_seed(0)
    decoder = dict(
        type='ImageDecoder',
        hidden_dims=16,
        bottleneck_dims=8,
        num_prototypes=32)
    return CrossScaleMatchingHead(WIDE, WIDE, decoder=decoder, **kwargs)


def answers_of(matching, tokens):
    """Every view of a person has the same image token."""
    names = ('anchor', 'scale_1', 'local_1')
    views = Views(dict.fromkeys(names, torch.zeros(len(tokens), 3, 32, 16)))
    return [
        Answer(r, Tokens(tokens, None, None, (2, 1)))
        for r in matching.requests(views)
    ], views


def loss_of(matching, tokens):
    answers, views = answers_of(matching, tokens)
    return matching.loss(answers, views, matching.averaged())


def test_health_counts_the_prototypes_in_use():
    matching, count = matching_of(), 9
    torch.manual_seed(1)
    tokens = 30 * torch.randn(count, 8)
    losses = loss_of(matching, tokens)
    used = len(set(matching.decoder(tokens).argmax(-1).tolist()))
    assert 3 <= used <= count
    assert losses['health/prototypes'].item() == used
    assert losses['health/prototype_use'].item() == pytest.approx(used / 3)
    # more images than prototypes
    tokens = 30 * torch.randn(200, 8)
    losses = loss_of(matching_of(), tokens)
    assert losses['health/prototype_use'].item() == pytest.approx(
        losses['health/prototypes'].item() / 32**0.5)


def test_health_compares_one_view_with_others():
    """Equal tokens in all views agree as far as answers differ."""
    matching = matching_of()
    torch.manual_seed(1)
    tokens = 30 * torch.randn(20, 8)
    chosen = matching.decoder(tokens).argmax(-1)
    equal = chosen[:, None] == chosen
    chance = (equal.sum() - 20).item() / (20 * 19)
    losses = loss_of(matching, tokens)
    assert losses['health/match'].item() == pytest.approx(1 - chance)
    same = loss_of(matching_of(), tokens[:1].expand(20, 8))
    assert same['health/match'].item() == 0.


def test_health_skips_the_view_itself():
    """Eq. 1: the only expert view is the first student view as well."""
    matching = matching_of(
        student_views=('anchor', 'scale_1'), expert_views=('anchor', ))
    torch.manual_seed(1)
    answers, views = answers_of(matching, 30 * torch.randn(20, 8))
    # the scale's tokens are those of the next person
    answers[1] = Answer(
        answers[1].request,
        answers[1].tokens._replace(image=answers[1].tokens.image.roll(1, 0)))
    losses = matching.loss(answers, views, matching.averaged())
    assert losses['health/match'].item() < 0.1
