import itertools
import math

import pytest
import torch

from saip_mm.evaluation import chance_scores, retrieval_scores


def at(*angles):
    """Unit vectors at angles in degrees: smaller is more similar to 0."""
    radians = torch.tensor([math.radians(a) for a in angles])
    return torch.stack([radians.cos(), radians.sin()], 1)


def scores(gallery, pids, cams, query=(0., ), qpids=(1, ), qcams=(1, ), **kw):
    return retrieval_scores(
        at(*query), torch.tensor(qpids), torch.tensor(qcams), at(*gallery),
        torch.tensor(pids), torch.tensor(cams), **kw)


def test_average_precision_by_hand():
    # order: wrong, right, wrong, right -> AP = (1/2 + 2/4) / 2 = 0.5
    result = scores((10, 20, 30, 40), (2, 1, 3, 1), (2, 2, 2, 3))
    assert (result.rank1, result.map, result.queries) == (0.0, 0.5, 1)


def test_rank_k_and_penalty_by_hand():
    # order: wrong, wrong, right, wrong, right, wrong
    result = scores((10, 20, 30, 40, 50, 60), (2, 3, 1, 2, 1, 4), (2, ) * 6,
                    ranks=(1, 2, 3, 4))
    assert result.cmc == {1: 0, 2: 0, 3: 1, 4: 1}
    assert result.minp == pytest.approx(2 / 5)


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
    assert (result.rank1, result.map, result.queries) == (1.0, 1.0, 1)


def test_mean_over_queries():
    # query 1 (0 deg, person 1): right first, AP 1
    # query 2 (90 deg, person 2): order 80 (person 1), 10 (2) -> AP 1/2
    result = scores((10, 80), (2, 1), (2, 2),
                    query=(85, 90),
                    qpids=(1, 2),
                    qcams=(1, 1))
    assert (result.rank1, result.map, result.queries) == (0.5, 0.75, 2)


def test_collapsed_features_get_no_credit_for_ties():
    # all equally similar: both right answers rank behind the two wrong ones
    # AP = (1/3 + 2/4) / 2 = 5/12
    result = scores((30, 30, 30, 30), (1, 1, 2, 3), (2, 2, 2, 2))
    assert result.rank1 == 0
    assert result.map == pytest.approx(5 / 12)


def cosine(one, other):
    """In Python's own float64."""
    dot = sum(a * b for a, b in zip(one, other))
    return dot / math.sqrt(sum(a * a for a in one) * sum(b * b for b in other))


def slow_scores(query, qpids, qcams, gallery, pids, cams, ties=1):
    """The protocol in plain loops; wrong answers win ties, or (-1) lose."""
    columns = [t.tolist() for t in (query, qpids, qcams)]
    answers = [t.tolist() for t in (gallery, pids, cams)]
    cmc, average, penalty = [], [], []
    for vector, pid, cam in zip(*columns):
        ranking = []
        for other, other_pid, other_cam in zip(*answers):
            if other_pid == -1 or (other_pid, other_cam) == (pid, cam):
                continue
            right = other_pid == pid
            # cosines of equal directions differ by 1e-16
            similarity = round(cosine(vector, other), 12)
            ranking.append((-similarity, ties * right, right))
        hits = [right for *_, right in sorted(ranking)]
        if any(hits):
            precisions = [
                sum(hits[:i + 1]) / (i + 1) for i, right in enumerate(hits)
                if right
            ]
            average.append(sum(precisions) / len(precisions))
            cmc.append([any(hits[:k]) for k in (1, 5, 10)])
            last = max(i for i, right in enumerate(hits) if right) + 1
            penalty.append(sum(hits) / last)
    if not cmc:
        return None
    means = [sum(x) / len(x) for x in (*zip(*cmc), average, penalty)]
    return (*means, len(cmc))


def flat(result):
    """Rank-1, 5, 10, mAP, mINP and the number of queries."""
    assert list(result.cmc) == [1, 5, 10]
    return (*result.cmc.values(), *result[1:])


@pytest.mark.parametrize('chunk', [1, 4, 256])
@pytest.mark.parametrize('seed', range(3))
def test_equals_plain_loops(seed, chunk):
    draw = torch.Generator().manual_seed(seed)

    def persons(n, low):
        return (torch.randn(n, 5, generator=draw).double(),
                torch.randint(low, 6, (n, ), generator=draw),
                torch.randint(0, 3, (n, ), generator=draw))

    query, gallery = persons(11, 1), persons(40, -1)
    result = retrieval_scores(*query, *gallery, chunk=chunk)
    assert flat(result) == pytest.approx(slow_scores(*query, *gallery))


def random_case(seed):
    """A small retrieval run whose features repeat.

    Few distinct features, so that right and wrong answers tie; junk,
    distractors, people seen by one camera only.
    """
    draw = torch.Generator().manual_seed(seed)

    def number(low, high, size=()):
        return torch.randint(low, high + 1, size, generator=draw)

    dims = int(number(2, 24))
    palette = torch.randn(int(number(1, 12)), dims, generator=draw)
    persons, cams = int(number(1, 6)), int(number(1, 4))
    sides = []
    for size, low in ((int(number(1, 7)), 1), (int(number(1, 40)), -1)):
        sides.append((palette[number(0,
                                     len(palette) - 1, (size, ))],
                      number(low, persons,
                             (size, )), number(1, cams, (size, ))))
    return [t for side in sides for t in side], int(number(1, 9))


@pytest.mark.parametrize('block', range(10))
def test_equals_plain_loops_with_ties(block):
    unanswered = 0
    for seed in range(100 * block, 100 * block + 100):
        case, chunk = random_case(seed)
        expected = slow_scores(*case)
        if expected is None:
            unanswered += 1
            with pytest.raises(ValueError, match='none of'):
                retrieval_scores(*case, chunk=chunk)
        else:
            result = retrieval_scores(*case, chunk=chunk)
            assert flat(result) == pytest.approx(expected, abs=1e-12), seed
    assert unanswered < 50


@pytest.mark.parametrize('dims', [3, 7, 30, 192])
def test_equal_features_tie_whatever_the_product_rounds(dims):
    draw = torch.Generator().manual_seed(dims)
    for size in range(2, 70):
        query = torch.randn(5, dims, generator=draw)
        gallery = torch.randn(1, dims, generator=draw).repeat(size, 1)
        pids = torch.full((size, ), 2)
        pids[int(torch.randint(size, (), generator=draw))] = 1
        result = retrieval_scores(query, torch.ones(5), torch.ones(5), gallery,
                                  pids, torch.full((size, ), 2))
        assert result.rank1 == 0 and result.map == pytest.approx(1 / size)


def test_rounding_may_order_features_of_one_direction():
    """Other norms: anything between all ties won and all lost."""
    for seed in range(50):
        case, chunk = random_case(seed)
        low, high = slow_scores(*case), slow_scores(*case, ties=-1)
        if low is None:
            continue
        draw = torch.Generator().manual_seed(seed)
        case[3] = case[3] * (torch.rand(len(case[3]), 1, generator=draw) + .1)
        result = retrieval_scores(*case, chunk=chunk)
        for least, ours, most in zip(low, flat(result), high):
            assert least - 1e-9 <= ours <= most + 1e-9


@pytest.mark.parametrize('seed', range(8))
def test_chance_is_the_mean_over_all_orders(seed):
    draw = torch.Generator().manual_seed(seed)
    pids = torch.cat([torch.tensor([1]), torch.arange(-1, 4)])
    cams = torch.randint(2, (len(pids), ), generator=draw)
    cams[0] = 2
    pids[int(torch.randint(1, 6, (), generator=draw))] = 1
    qpids, qcams = torch.tensor([1, 2]), torch.tensor([0, 1])
    scores = [
        slow_scores(at(0, 0), qpids, qcams, at(*order), pids, cams)
        for order in itertools.permutations(range(10, 70, 10))
    ]
    rank1, _, _, average, _, queries = zip(*scores)
    expected = (sum(rank1) / len(scores), sum(average) / len(scores),
                queries[0])
    assert tuple(chance_scores(qpids, qcams, pids,
                               cams)) == pytest.approx(expected)


def test_empty_gallery_is_an_error():
    with pytest.raises(ValueError, match=r'none of the 1 .*\(0 pictures'):
        retrieval_scores(
            at(0), torch.ones(1), torch.ones(1), at(), torch.zeros(0),
            torch.zeros(0))


def test_non_finite_features_are_an_error():
    with pytest.raises(ValueError, match='gallery features hold NaN'):
        scores((10, math.nan), (1, 1), (2, 2))
    with pytest.raises(ValueError, match='query features hold NaN'):
        retrieval_scores(
            at(0).double() * 1e39,  # infinite in float32
            torch.ones(1),
            torch.ones(1),
            at(0),
            torch.ones(1),
            torch.zeros(1))
