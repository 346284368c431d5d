import math

import pytest
import torch

from saip_mm.models import (Answer, CrossScaleSearchHead, Request, TokenDims,
                            Tokens, Views)
from saip_mm.models.sincos import sincos_positions

STUDENT, EXPERT = TokenDims(6, 6, 6, 16), TokenDims(10, 10, 10, 8)


def head(**kwargs):
    torch.manual_seed(0)
    decoder = dict(dims=8, depth=1, num_heads=2)
    css = CrossScaleSearchHead(STUDENT, EXPERT, decoder, **kwargs)
    return css.double().eval()


def tokens(grid, dims):
    length = grid[0] * grid[1]
    inner = torch.randn(2, length, dims, dtype=torch.float64)
    return Tokens(None, inner, None, grid)


@pytest.fixture
def batch():
    """Two persons on a canvas of 16x40 pixels, 2x5 cells of the expert."""
    torch.manual_seed(1)
    images = dict.fromkeys(('scale_1', 'scale_2'), torch.zeros(2, 3, 8, 8))
    images['canvas'] = torch.zeros(2, 3, 16, 40)
    boxes = dict(
        scale_1=torch.tensor([[0, 0, 8, 16], [4, 0, 12, 8]]),
        scale_2=torch.tensor([[16, 0, 40, 12], [24, 4, 32, 16]]))
    requests = [Request('canvas', 'expert', ('inner', ))]
    requests += [Request(n, 'student', ('inner', )) for n in boxes]
    given = [tokens((2, 5), 10), tokens((3, 2), 6), tokens((4, 1), 6)]
    return list(map(Answer, requests, given)), Views(images, boxes)


def test_who_is_asked_for_what():
    images = dict.fromkeys(('anchor', 'scale_1', 'scale_3', 'canvas'))
    asked = [(r.view, r.role, r.tokens, r.mask)
             for r in head().requests(Views(images))]
    assert asked == [('canvas', 'expert', ('inner', ), None),
                     ('scale_1', 'student', ('inner', ), None),
                     ('scale_3', 'student', ('inner', ), None)]
    assert head().averaged() == {}


def test_logits_equal_loops(batch):
    css = head()
    (_, canvas), *persons = batch[0]
    found = css.search([p.tokens for p in persons], canvas)
    assert found.shape == (2, 2, 10)
    for n, person in enumerate(persons):
        query = css.decoder.query_proj(person.tokens.inner)
        query = query + sincos_positions(person.tokens.grid, 8).double()
        decoded = css.decoder(query, canvas.inner, canvas.grid)
        kernel = css.kernel(decoded.mean(1))
        for image in range(2):
            for cell in range(10):
                embedded = css.cell_embed(canvas.inner[image, cell])
                logit = (kernel[image] * embedded).sum() / math.sqrt(8)
                expected = (logit + css.bias).item()
                assert found[n, image, cell].item() == pytest.approx(
                    expected, abs=1e-5)


# covered shares of 2x5 cells of 8x8 pixels, by the boxes of the batch
SHARES = dict(
    scale_1=[[1, 0, 0, 0, 0, 1, 0, 0, 0, 0], [.5, .5, 0, 0, 0] + [0] * 5],
    scale_2=[[0, 0, 1, 1, 1, 0, 0, .5, .5, .5],
             [0, 0, 0, .5, 0, 0, 0, 0, 1, 0]])


@pytest.mark.parametrize('kind', ['mse', 'bce'])
def test_loss_is_the_sum_over_the_scales(batch, kind):
    answers, views = batch
    css = head(loss=kind, loss_weight=2.5)
    found = css.search([a.tokens for a in answers[1:]], answers[0].tokens)
    expected = 0.
    for logits, shares in zip(found.double(), SHARES.values()):
        share = torch.tensor(shares).double()
        p = 1 / (1 + (-logits).exp())
        if kind == 'mse':
            term = (p - share)**2
        else:
            term = -share * p.log() - (1 - share) * (1 - p).log()
        expected += term.mean().item()
    loss = css.loss(answers, views, {})
    assert set(loss) == {'loss_css'}
    assert float(loss['loss_css']) == pytest.approx(2.5 * expected, rel=1e-5)


def test_defaults():
    css = CrossScaleSearchHead(STUDENT, EXPERT)
    assert (css.kind, css.loss_weight, css.stride) == ('mse', 1, 8)
    assert css.decoder.dims == 256
    # the best constant answer of a canvas covered to an eighth
    assert float(css.bias.sigmoid()) == pytest.approx(0.12, abs=0.005)


# by the scales or by the anchor

SAME = TokenDims(8, 8, 8, 16)


def searcher_of(**kwargs):
    torch.manual_seed(0)
    decoder = dict(dims=16, depth=1, num_heads=2)
    return CrossScaleSearchHead(SAME, SAME, decoder=decoder, **kwargs)


def two_scales(boxes, batch=2, size=(32, 48)):
    """Two scales of a person whose places are given, one a scale."""
    names = ('anchor', 'scale_1', 'scale_2')
    images = dict.fromkeys(names, torch.zeros(batch, 3, 32, 16))
    images['canvas'] = torch.zeros(batch, 3, *size)
    return Views(
        images, {
            f'scale_{i + 1}': torch.tensor([box] * batch)
            for i, box in enumerate(boxes)
        })


BOXES = ((0, 0, 16, 24), (24, 8, 40, 32))
# shares of the 2 x 3 cells, row by row
CELLS = ((1., 0., 0., 0.5, 0., 0.), (0., 0.25, 0.25, 0., 0.5, 0.5))


def answers_of(searcher, views):
    generator = torch.Generator().manual_seed(1)
    found = []
    for request in searcher.requests(views):
        rows, columns = (
            side // 16 for side in views.images[request.view].shape[-2:])
        inner = torch.randn(2, rows * columns, SAME.inner, generator=generator)
        found.append(
            Answer(request, Tokens(None, inner, None, (rows, columns))))
    return found


def test_each_scale_asks_for_its_own_place():
    searcher, batch = searcher_of(), two_scales(BOXES)
    asked = [(r.view, r.role) for r in searcher.requests(batch)]
    assert asked == [('canvas', 'expert'), ('scale_1', 'student'),
                     ('scale_2', 'student')]
    expected = torch.tensor(CELLS)[:, None].expand(2, 2, 6)
    torch.testing.assert_close(searcher.targets(batch), expected)


def test_the_anchor_asks_once_for_all_places():
    searcher, batch = searcher_of(query='anchor'), two_scales(BOXES)
    asked = [(r.view, r.role) for r in searcher.requests(batch)]
    assert asked == [('canvas', 'expert'), ('anchor', 'student')]
    expected = torch.tensor([[1., .25, .25, .5, .5, .5]] * 2)[None]
    torch.testing.assert_close(searcher.targets(batch), expected)


@pytest.mark.parametrize('query, targets', [
    ('scales', CELLS),
    ('anchor', ((1., .25, .25, .5, .5, .5), )),
])
def test_loss_is_the_error_summed_over_the_queries(query, targets):
    searcher = searcher_of(query=query, loss_weight=2.)
    batch = two_scales(BOXES)
    given = answers_of(searcher, batch)
    logits = searcher.search([a.tokens for a in given[1:]], given[0].tokens)
    expected = 0.
    for found, target in zip(logits.double().tolist(), targets):
        errors = [(1 / (1 + 2.718281828459045**-x) - y)**2 for row in found
                  for x, y in zip(row, target)]
        expected += 2. * sum(errors) / len(errors)
    loss = searcher.loss(given, batch, {})['loss_css']
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_targets_on_another_grid():
    pixels = searcher_of().targets(two_scales(BOXES), stride=1)
    assert pixels.shape == (2, 2, 32 * 48)
    for box, found in zip(BOXES, pixels[:, 0].view(2, 32, 48)):
        x1, y1, x2, y2 = box
        assert found[y1:y2, x1:x2].eq(1).all()
        assert found.sum() == (x2 - x1) * (y2 - y1)


def test_health_is_the_share_told_from_distractors(monkeypatch):
    """Two canvases of 2 x 3 cells, by hand.

    The distractor covers the last cell of the first row and half of the last
    one of the second: (1 a + 0.5 b) / 1.5.
    """
    searcher, batch = searcher_of(), two_scales(BOXES)
    given = answers_of(searcher, batch)
    assert 'health/css_target_above_distractor' not in searcher.loss(
        given, batch, {})
    batch.distractors['distractor_1'] = torch.tensor([[32, 0, 48, 24]] * 2)
    shares = torch.tensor([
        # on the first person (.9 + .5 * .3) / 1.5 = .7, and .5 beside
        [[.9, .1, .6, .3, .1, .3], [.5, .1, .5, .5, .1, .5]],  # equal: wrong
        # on the second (.25 * (.2 + .8) + .5 * (.6 + .2)) / 1.5 = .433
        [
            [.9, .2, .8, .9, .6, .2],  # .6 on the distractor
            [.9, .2, .4, .9, .6, .2]
        ],  # .333
    ])
    monkeypatch.setattr(searcher, 'search',
                        lambda persons, canvas: shares.logit())
    losses = searcher.loss(given, batch, {})
    assert losses['health/css_target_above_distractor'].item() == 0.5


def test_an_unknown_query_is_named():
    with pytest.raises(ValueError, match="query 'person' is unknown"):
        searcher_of(query='person')
