import pytest
import torch

from saip_mm.models import CrossScaleSearchHead
from saip_mm.models.preprocessors import Views
from saip_mm.models.tokens import Answer, TokenDims, Tokens

DIMS = TokenDims(image=8, inner=8, final=8, stride=16)


def head(**kwargs):
    torch.manual_seed(0)
    decoder = dict(dims=16, depth=1, num_heads=2)
    return CrossScaleSearchHead(DIMS, DIMS, decoder=decoder, **kwargs)


def views(boxes, batch=2, size=(32, 48)):
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


def answers(searcher, views):
    generator = torch.Generator().manual_seed(1)
    found = []
    for request in searcher.requests(views):
        rows, columns = (
            side // 16 for side in views.images[request.view].shape[-2:])
        inner = torch.randn(2, rows * columns, DIMS.inner, generator=generator)
        found.append(
            Answer(request, Tokens(None, inner, None, (rows, columns))))
    return found


def test_each_scale_asks_for_its_own_place():
    searcher, batch = head(), views(BOXES)
    asked = [(r.view, r.role) for r in searcher.requests(batch)]
    assert asked == [('canvas', 'expert'), ('scale_1', 'student'),
                     ('scale_2', 'student')]
    expected = torch.tensor(CELLS)[:, None].expand(2, 2, 6)
    torch.testing.assert_close(searcher.targets(batch), expected)


def test_the_anchor_asks_once_for_all_places():
    searcher, batch = head(query='anchor'), views(BOXES)
    asked = [(r.view, r.role) for r in searcher.requests(batch)]
    assert asked == [('canvas', 'expert'), ('anchor', 'student')]
    expected = torch.tensor([[1., .25, .25, .5, .5, .5]] * 2)[None]
    torch.testing.assert_close(searcher.targets(batch), expected)


@pytest.mark.parametrize('query, targets', [
    ('scales', CELLS),
    ('anchor', ((1., .25, .25, .5, .5, .5), )),
])
def test_loss_is_the_error_summed_over_the_queries(query, targets):
    searcher = head(query=query, loss_weight=2.)
    batch = views(BOXES)
    given = answers(searcher, batch)
    logits = searcher.search([a.tokens for a in given[1:]], given[0].tokens)
    expected = 0.
    for found, target in zip(logits.double().tolist(), targets):
        errors = [(1 / (1 + 2.718281828459045**-x) - y)**2 for row in found
                  for x, y in zip(row, target)]
        expected += 2. * sum(errors) / len(errors)
    loss = searcher.loss(given, batch, {})['loss_css']
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_targets_on_another_grid():
    pixels = head().targets(views(BOXES), stride=1)
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
    searcher, batch = head(), views(BOXES)
    given = answers(searcher, batch)
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
        head(query='person')
