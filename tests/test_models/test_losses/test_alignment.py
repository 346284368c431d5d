"""Alignment against plain loops in float64."""
import math

import pytest
import torch

from saip_mm.models.losses import (attention_divergence, pairwise_distance,
                                   relation_divergence, token_distance)


def soft(row):
    exps = [math.exp(value) for value in row]
    return [value / sum(exps) for value in exps]


def divergence(target, found):
    return sum(p * (math.log(p) - math.log(q))
               for p, q in zip(soft(target), soft(found)))


def products(left, right, scale):
    return [[sum(a * b for a, b in zip(x, y)) / scale for y in right]
            for x in left]


def attention_loop(student, expert):
    """Spec 4: KL(t || s) summed over keys, mean over the rest, both added."""
    total = 0.
    for kind in ((0, 1), (2, 2)):
        terms = []
        for ours, theirs in zip(student.tolist(), expert.tolist()):
            for head in range(len(ours[0])):
                rows = [
                    products(side[kind[0]][head], side[kind[1]][head],
                             len(side[0][head][0])**0.5)
                    for side in (theirs, ours)
                ]
                terms += [divergence(t, s) for t, s in zip(*rows)]
        total += sum(terms) / len(terms)
    return total


@pytest.mark.parametrize('sizes', [(3, 4), (4, 4), (5, 2)])
def test_attention_with_equal_heads(sizes):
    torch.manual_seed(0)
    student = torch.randn(2, 3, 2, 5, sizes[0])
    expert = torch.randn(2, 3, 2, 5, sizes[1])
    found = attention_divergence(student, expert)
    assert found.item() == pytest.approx(
        attention_loop(student.double(), expert.double()), rel=1e-4)


def test_attention_with_other_heads_is_averaged():
    torch.manual_seed(0)
    student, expert = torch.randn(2, 3, 3, 4, 2), torch.randn(2, 3, 6, 4, 5)
    wanted = 0.
    for left, right in ((0, 1), (2, 2)):
        ours, theirs = ((x[:, left].double() @ x[:, right].double().mT /
                         x.shape[-1]**.5).softmax(-1).mean(1)
                        for x in (student, expert))
        wanted += (theirs * (theirs / ours).log()).sum(-1).mean()
    assert attention_divergence(student, expert).item() == pytest.approx(
        wanted.item(), rel=1e-4)


def test_equal_attention_costs_nothing():
    torch.manual_seed(0)
    parts = torch.randn(2, 3, 2, 5, 4)
    assert attention_divergence(parts, parts).abs() < 1e-6
    with pytest.raises(ValueError, match="student's 5 tokens.*expert's 6"):
        attention_divergence(parts, torch.randn(2, 3, 2, 6, 4))


def test_relation():
    torch.manual_seed(0)
    student, expert = torch.randn(2, 4, 3), torch.randn(2, 4, 3)
    terms = [
        divergence(t, s) for ours, theirs in zip(student.double().tolist(),
                                                 expert.double().tolist())
        for t, s in zip(
            products(theirs, theirs, 3**.5), products(ours, ours, 3**.5))
    ]
    assert relation_divergence(student, expert).item() == pytest.approx(
        sum(terms) / len(terms), rel=1e-4)


@pytest.mark.parametrize('kind', ['cosine', 'mse'])
def test_pairs_of_other_views(kind):
    torch.manual_seed(0)
    student, expert = torch.randn(3, 4, 5), torch.randn(2, 4, 5)
    same = torch.eye(2, 3).bool()
    terms = []
    for v in range(2):
        for u in range(3):
            for s, t in zip(student[u].tolist(), expert[v].tolist()):
                if u == v:
                    continue
                if kind == 'mse':
                    terms.append(
                        sum((a - b)**2 for a, b in zip(s, t)) / len(s))
                else:
                    dot = sum(a * b for a, b in zip(s, t))
                    terms.append(1 - dot / math.hypot(*s) / math.hypot(*t))
    found = pairwise_distance(student, expert, same, kind)
    assert found.item() == pytest.approx(sum(terms) / len(terms), rel=1e-4)
    with pytest.raises(ValueError, match='a pair of different views'):
        pairwise_distance(student, expert, torch.ones(2, 3).bool(), kind)


def test_unknown_distances_are_refused():
    with pytest.raises(ValueError, match="distance 'l1' is unknown"):
        token_distance(torch.ones(2), torch.ones(2), 'l1')
