import pytest
import torch

from saip_mm.models import CrossScaleMatchingHead
from saip_mm.models.heads.matching import match_above_chance
from saip_mm.models.preprocessors import Views
from saip_mm.models.tokens import Answer, TokenDims, Tokens

DIMS = TokenDims(image=8, inner=8, final=8, stride=16)


def slow_match(student, expert):
    """Pair by pair."""
    own, others = [], []
    for answers in expert.tolist():
        for i, mine in enumerate(student.tolist()):
            for j, theirs in enumerate(answers):
                (own if i == j else others).append(float(mine == theirs))
    return sum(own) / len(own) - sum(others) / len(others)


@pytest.mark.parametrize('answers', [2, 5, 40])
@pytest.mark.parametrize('views, images', [(1, 2), (2, 9), (3, 16)])
def test_match_equals_a_slow_restatement(views, images, answers):
    torch.manual_seed(answers)
    student = torch.randint(answers, (images, ))
    expert = torch.randint(answers, (views, images))
    assert match_above_chance(student, expert).item() == pytest.approx(
        slow_match(student, expert), abs=1e-6)


@pytest.mark.parametrize(
    'student, expert, expected',
    [
        ([4, 9, 2], [[4, 9, 2], [4, 9, 2]], 1.),  # each its own
        ([4, 4, 4], [[4, 4, 4]], 0.),  # the same for all
        ([4, 9, 2], [[9, 2, 4]], -0.5),  # another's, 3 of 6 pairs
        # two answers in equal use: each agrees with one of three others
        ([1, 1, 7, 7], [[1, 1, 7, 7]], 1 - 1 / 3),
        ([3], [[3]], 0.),  # no other person
    ])
def test_match_by_hand(student, expert, expected):
    found = match_above_chance(torch.tensor(student), torch.tensor(expert))
    assert found.item() == pytest.approx(expected)


def test_match_of_random_answers_is_chance():
    """Also where a few are much more frequent than the others."""
    torch.manual_seed(0)
    for share in (torch.ones(50), torch.tensor([20., 5., 1., 1.])):
        answers = share.multinomial(3 * 2000, replacement=True).view(3, 2000)
        # 4000 pairs of their own, of deviation below 1 / 2
        assert abs(match_above_chance(answers[0], answers[1:])) < 4 * .5 / 63


def head(**kwargs):
    torch.manual_seed(0)
    decoder = dict(
        type='ImageDecoder',
        hidden_dims=16,
        bottleneck_dims=8,
        num_prototypes=32)
    return CrossScaleMatchingHead(DIMS, DIMS, decoder=decoder, **kwargs)


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
    matching, count = head(), 9
    torch.manual_seed(1)
    tokens = 30 * torch.randn(count, 8)
    losses = loss_of(matching, tokens)
    used = len(set(matching.decoder(tokens).argmax(-1).tolist()))
    assert 3 <= used <= count
    assert losses['health/prototypes'].item() == used
    assert losses['health/prototype_use'].item() == pytest.approx(used / 3)
    # more images than prototypes
    tokens = 30 * torch.randn(200, 8)
    losses = loss_of(head(), tokens)
    assert losses['health/prototype_use'].item() == pytest.approx(
        losses['health/prototypes'].item() / 32**0.5)


def test_health_compares_one_view_with_others():
    """Equal tokens in all views agree as far as answers differ."""
    matching = head()
    torch.manual_seed(1)
    tokens = 30 * torch.randn(20, 8)
    chosen = matching.decoder(tokens).argmax(-1)
    equal = chosen[:, None] == chosen
    chance = (equal.sum() - 20).item() / (20 * 19)
    losses = loss_of(matching, tokens)
    assert losses['health/match'].item() == pytest.approx(1 - chance)
    same = loss_of(head(), tokens[:1].expand(20, 8))
    assert same['health/match'].item() == 0.


def test_health_skips_the_view_itself():
    """Eq. 1: the only expert view is the first student view as well."""
    matching = head(
        student_views=('anchor', 'scale_1'), expert_views=('anchor', ))
    torch.manual_seed(1)
    answers, views = answers_of(matching, 30 * torch.randn(20, 8))
    # the scale's tokens are those of the next person
    answers[1] = Answer(
        answers[1].request,
        answers[1].tokens._replace(image=answers[1].tokens.image.roll(1, 0)))
    losses = matching.loss(answers, views, matching.averaged())
    assert losses['health/match'].item() < 0.1
