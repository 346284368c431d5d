import pytest
import torch
from torch import nn

from saip_mm.models import (AlignmentDecoder, Answer, Request, TokenDims,
                            Tokens, Views)
from saip_mm.models.heads.matching import (MatchingHead, match_above_chance,
                                           token_spread)

STUDENT, EXPERT = TokenDims(6, 6, 6, 16), TokenDims(10, 10, 10, 16)
SMALL = dict(hidden_dims=8, bottleneck_dims=4)
NAMES = ('anchor', 'scale_1', 'scale_2', 'local_1', 'clean', 'canvas')


def head(expert=STUDENT, student_views=None, expert_views=None, **decoder):
    decoder = dict(type='InstanceDecoder') | SMALL | decoder
    return MatchingHead(STUDENT, expert, decoder, student_views, expert_views,
                        0.1)


def asked(matching):
    views = Views(dict.fromkeys(NAMES))
    requests = matching.requests(views)
    assert all(r.tokens == ('image', ) and r.mask is None for r in requests)
    return [(r.role, r.view) for r in requests]


def test_views_by_default():
    names = ['anchor', 'scale_1', 'scale_2', 'local_1']
    assert asked(head()) == ([('student', n)
                              for n in names] + [('expert', n)
                                                 for n in names[:3]])


def test_views_of_ones_choice():
    matching = head(
        student_views=('local_1', 'clean'), expert_views=['canvas'])
    assert asked(matching) == [('student', 'local_1'), ('student', 'clean'),
                               ('expert', 'canvas')]


def test_who_stands_where():
    """Whatever order the answers have."""
    plan = [('expert', 'b'), ('student', 'a'), ('student', 'b'),
            ('expert', 'c'), ('student', 'c')]
    answers = [
        Answer(
            Request(view, role, ('image', )),
            Tokens(torch.full((2, 3), float(i)), None, None, (1, 1)))
        for i, (role, view) in enumerate(plan)
    ]
    ours, theirs, same = MatchingHead.collect(answers)
    assert ours[:, 0].tolist() == [1, 1, 2, 2, 4, 4]
    assert theirs[:, 0].tolist() == [0, 0, 3, 3]
    assert same.tolist() == [[False, True, False], [False, False, True]]


def test_the_averaged_decoder_projects_the_experts_tokens():
    matching = head()
    assert matching.averaged() == dict(decoder=matching.decoder)
    average = nn.Linear(6, 2)
    tokens = torch.randn(4, 6)
    torch.testing.assert_close(
        matching.project(tokens, dict(decoder=average)), average(tokens))


@pytest.mark.parametrize(
    'kind',
    ['AlignmentDecoder', 'mmpretrain.AlignmentDecoder', AlignmentDecoder])
def test_an_aligned_decoder_learns_the_experts_channels(kind):
    matching = head(EXPERT, type=kind)
    assert matching.averaged() == {}
    assert matching.decoder(torch.randn(2, 6)).shape == (2, 10)
    tokens = torch.randn(4, 10)
    centred = tokens - tokens.mean(1, keepdim=True)
    spread = tokens.var(1, correction=0, keepdim=True)
    torch.testing.assert_close(
        matching.project(tokens, {}), centred / (spread + 1e-5).sqrt())


def test_one_decoder_reads_two_widths_by_an_adapter():
    """The expert's 10 as they are, the student's 6 through a layer."""
    matching = head(EXPERT)
    assert list(matching.averaged()) == ['decoder']
    tokens = torch.randn(4, 6)
    adapted = matching.adapter(tokens)
    assert adapted.shape == (4, 10)
    assert matching.decoder(adapted).shape == matching.project(
        torch.randn(4, 10), matching.averaged()).shape
    plain = head()
    assert plain.adapter(tokens) is tokens
    assert not any(k.startswith('adapter') for k in plain.state_dict())


@pytest.mark.parametrize('dims', [2, 8, 32])
def test_spread_of_tokens(dims):
    """0 where all are the same, about 1/sqrt(D) on the whole sphere."""
    torch.manual_seed(0)
    tokens = torch.randn(5000, dims)
    assert float(token_spread(tokens)) == pytest.approx(dims**-0.5, rel=0.05)
    assert float(token_spread(3 * tokens)) == pytest.approx(
        float(token_spread(tokens)))
    same = tokens[:1] * torch.arange(1., 6)[:, None]
    assert float(token_spread(same)) == pytest.approx(0, abs=1e-6)


def test_spread_of_two_tokens_by_hand():
    # (1, 0) and (0, 1): deviation 1/2 in both channels, over 2 images
    assert float(token_spread(torch.tensor([[5., 0], [0, 2]]))) == 0.5


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
