import pytest
import torch

from saip_mm.models import (Answer, CrossScaleReconstructionHead, Request,
                            TokenDims, Tokens, Views)
from saip_mm.models.sincos import sincos_positions

STUDENT, EXPERT = TokenDims(6, 6, 6, 16), TokenDims(10, 10, 10, 8)


def head(**kwargs):
    torch.manual_seed(0)
    decoder = dict(dims=8, depth=1, num_heads=2)
    return CrossScaleReconstructionHead(STUDENT, EXPERT, decoder, **kwargs)


def views(**sizes):
    return Views({name: torch.randn(3, 3, *s) for name, s in sizes.items()})


def test_one_scale_is_masked_by_the_experts_patches():
    csr, seen = head(), set()
    given = views(anchor=(64, 32), scale_1=(48, 24), scale_2=(64, 80))
    for _ in range(20):
        hidden, anchor = csr.requests(given)
        assert (hidden.role, hidden.tokens) == ('expert', ('inner', ))
        assert (anchor.view, anchor.role) == ('anchor', 'student')
        assert anchor.tokens == ('inner', ) and anchor.mask is None
        length = dict(scale_1=6 * 3, scale_2=8 * 10)[hidden.view]
        assert hidden.mask.shape == (3, length)
        visible = length // 4  # of 18 and 80, the share 0.75 hidden
        assert ((~hidden.mask).sum(1) == visible).all()
        seen.add(hidden.view)
    assert seen == {'scale_1', 'scale_2'}


def test_the_student_may_see_the_masked_scale_itself():
    csr = head(masked_by='student')
    hidden, _ = csr.requests(views(anchor=(64, 32), scale_1=(48, 32)))
    assert (hidden.view, hidden.role) == ('scale_1', 'student')
    assert hidden.mask.shape == (3, 3 * 2)  # of the student's stride, 16
    out = csr.reconstruct(
        Tokens(None, torch.randn(3, 1, 6), None, (3, 2)), hidden.mask,
        Tokens(None, torch.randn(3, 8, 6), None, (4, 2)))
    assert out.shape == (3, 6, 3 * 16 * 16)
    with pytest.raises(ValueError, match="masked_by 'anchor' is unknown"):
        head(masked_by='anchor')


@pytest.mark.parametrize('ratio, visible', [(0.5, 9), (0.9, 1), (1.0, 1),
                                            (0.0, 18)])
def test_share_that_is_hidden(ratio, visible):
    csr = head(mask_ratio=ratio)
    _, mask = csr.draw_masked(views(scale_1=(48, 24)))
    assert ((~mask).sum(1) == visible).all()


def test_the_query_has_visible_tokens_in_their_places():
    csr = head().double()
    mask = torch.tensor([[1, 0, 1, 1, 0, 1], [0, 1, 1, 1, 1, 0]]).bool()
    visible = torch.randn(2, 2, 10, dtype=torch.float64)
    context = torch.randn(2, 8, 6, dtype=torch.float64)
    seen = []
    csr.decoder.register_forward_pre_hook(lambda m, args: seen.append(args))
    out = csr.reconstruct(
        Tokens(None, visible, None, (2, 3)), mask,
        Tokens(None, context, None, (4, 2)))
    (query, given, grid), = seen
    assert given is context and grid == (4, 2)
    places = sincos_positions((2, 3), 8)[0].double()
    for image, row in enumerate(mask.tolist()):
        tokens = iter(visible[image])
        for place, hidden in enumerate(row):
            token = csr.mask_token[0, 0]
            if not hidden:
                token = csr.decoder.query_proj(next(tokens))
            torch.testing.assert_close(query[image, place],
                                       token + places[place])
    assert out.shape == (2, 6, 3 * 8 * 8)  # pixels of the expert's patch
    torch.testing.assert_close(
        out, csr.to_pixels(csr.decoder(query, context, (4, 2))))


def test_prediction_takes_the_expert_first():
    csr = head()
    mask = torch.tensor([[True, False]])
    hidden = Request('scale_1', 'expert', ('inner', ), mask)
    answers = [
        Answer(hidden, Tokens(None, torch.randn(1, 1, 10), None, (1, 2))),
        Answer(
            Request('anchor', 'student', ('inner', )),
            Tokens(None, torch.randn(1, 8, 6), None, (4, 2)))
    ]
    asked, pred = csr.predict(answers)
    assert asked is hidden and pred.shape == (1, 2, 192)


def test_start_of_its_own_layers():
    csr = head(mask_ratio=0.6, loss_weight=3.)
    assert abs(csr.mask_token.std() - 0.02) < 0.02
    assert abs(csr.to_pixels.weight.std() - 0.02) < 0.003
    assert (csr.to_pixels.bias == 0).all()
    assert (csr.stride, csr.mask_ratio, csr.loss_weight) == (8, 0.6, 3)
    default = CrossScaleReconstructionHead(STUDENT, EXPERT)
    assert (default.mask_ratio, default.loss_weight) == (0.75, 1)
    assert default.decoder.dims == 256 and len(default.decoder.blocks) == 2
    assert default.objective == 'csr' and default.averaged() == {}
