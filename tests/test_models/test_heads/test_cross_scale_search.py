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
