import math

import pytest
import torch

from saip_mm.engine import rank1_map
from saip_mm.engine.retrieval import RetrievalScores


def at(*angles):
    """Unit vectors at angles in degrees: smaller is more similar to 0."""
    radians = torch.tensor([math.radians(a) for a in angles])
    return torch.stack([radians.cos(), radians.sin()], 1)


def scores(gallery, pids, cams, query=(0., ), qpids=(1, ), qcams=(1, ), **kw):
    return rank1_map(
        at(*query), torch.tensor(qpids), torch.tensor(qcams), at(*gallery),
        torch.tensor(pids), torch.tensor(cams), **kw)


def test_average_precision_by_hand():
    # order: wrong, right, wrong, right -> AP = (1/2 + 2/4) / 2 = 0.5
    result = scores((10, 20, 30, 40), (2, 1, 3, 1), (2, 2, 2, 3))
    assert result == RetrievalScores(0.0, 0.5, 1)


def test_market_protocol_by_hand():
    # 5: same person, same camera -> removed; 6: junk -> removed
    # left: right (10), distractor (20), right (30) -> AP = (1 + 2/3) / 2
    result = scores((5, 6, 10, 20, 30), (1, -1, 1, 0, 1), (1, 2, 2, 2, 3))
    assert result.rank1 == 1
    assert result.map == pytest.approx(5 / 6)


def test_queries_without_right_answer_are_not_counted():
    # query 2 has its only image by its own camera, query 3 has none
    result = scores((10, 50), (1, 2), (2, 1),
                    query=(0, 45, 90),
                    qpids=(1, 2, 3),
                    qcams=(1, 1, 1))
    assert result == RetrievalScores(1.0, 1.0, 1)


def test_mean_over_queries():
    # query 1 (0 deg, person 1): right first, AP 1
    # query 2 (90 deg, person 2): order 80 (person 1), 10 (2) -> AP 1/2
    result = scores((10, 80), (2, 1), (2, 2),
                    query=(85, 90),
                    qpids=(1, 2),
                    qcams=(1, 1))
    assert result == RetrievalScores(0.5, 0.75, 2)


def test_collapsed_features_get_no_credit_for_ties():
    # all equally similar: both right answers rank behind the two wrong ones
    # AP = (1/3 + 2/4) / 2 = 5/12
    result = scores((30, 30, 30, 30), (1, 1, 2, 3), (2, 2, 2, 2))
    assert result.rank1 == 0
    assert result.map == pytest.approx(5 / 12)


def slow_scores(query, qpids, qcams, gallery, pids, cams):
    """The protocol in plain loops."""
    first, average = [], []
    for q in range(len(query)):
        ranking = []
        for g in range(len(gallery)):
            if pids[g] == -1 or (pids[g] == qpids[q] and cams[g] == qcams[q]):
                continue
            cosine = torch.cosine_similarity(query[q], gallery[g], 0)
            ranking.append((-float(cosine), bool(pids[g] == qpids[q])))
        answers = [right for _, right in sorted(ranking)]
        if any(answers):
            precisions = [
                sum(answers[:i + 1]) / (i + 1)
                for i, right in enumerate(answers) if right
            ]
            average.append(sum(precisions) / len(precisions))
            first.append(answers[0])
    return sum(first) / len(first), sum(average) / len(average), len(first)


@pytest.mark.parametrize('chunk', [1, 4, 256])
@pytest.mark.parametrize('seed', range(3))
def test_equals_plain_loops(seed, chunk):
    draw = torch.Generator().manual_seed(seed)

    def persons(n, low):
        return (torch.randn(n, 5, generator=draw).double(),
                torch.randint(low, 6, (n, ), generator=draw),
                torch.randint(0, 3, (n, ), generator=draw))

    query, gallery = persons(11, 1), persons(40, -1)
    result = rank1_map(*query, *gallery, chunk=chunk)
    assert tuple(result) == pytest.approx(slow_scores(*query, *gallery))


def test_nothing_to_answer_is_an_error():
    with pytest.raises(ValueError, match='none of 1 queries'):
        scores((10, ), (2, ), (2, ))
    with pytest.raises(ValueError, match='none of 0 queries'):
        rank1_map(at(), torch.zeros(0), torch.zeros(0), at(1), torch.ones(1),
                  torch.ones(1))


def test_non_finite_features_are_an_error():
    with pytest.raises(ValueError, match='gallery features hold NaN'):
        scores((10, math.nan), (1, 1), (2, 2))
