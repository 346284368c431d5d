import math

import numpy as np
import pytest
import torch

from saip_mm.evaluation import Reranking, retrieval_scores


def slow_distances(query, gallery, k1, k2, weight):
    """By sets and loops, in float64; of equally far ones the first counts."""
    points = np.concatenate((query, gallery)).astype(np.float64)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    total = len(points)
    d = ((points[:, None] - points)**2).sum(2)
    d = d / d.max(1, keepdims=True).clip(1e-12)
    order = [
        sorted(range(total), key=lambda g: (g != p, d[p, g]))
        for p in range(total)
    ]

    def mutual(p, k):
        return {g for g in order[p][:k + 1] if p in order[g][:k + 1]}

    vectors = np.zeros((total, total))
    for p in range(total):
        members = mutual(p, k1)
        taken = set(members)
        for q in members:
            theirs = mutual(q, k1 // 2)
            if 3 * len(members & theirs) >= 2 * len(theirs):
                taken |= theirs
        for g in taken:
            vectors[p, g] = math.exp(-d[p, g])
        vectors[p] /= vectors[p].sum()
    vectors = np.stack([vectors[order[p][:k2]].mean(0) for p in range(total)])
    found = np.zeros((len(query), len(gallery)))
    for i in range(len(query)):
        for j in range(len(gallery)):
            one, two = vectors[i], vectors[len(query) + j]
            jaccard = 1 - np.minimum(one, two).sum() / np.maximum(one,
                                                                  two).sum()
            found[i, j] = ((1 - weight) * jaccard +
                           weight * d[i, len(query) + j])
    return found


def clouds(seed, people=6, shots=9, spread=0.8, width=5):
    """Features of persons, two of whose pictures ask."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, width))
    pids = np.repeat(np.arange(people), shots)
    features = centres[pids] + spread * rng.normal(size=(len(pids), width))
    asks = np.tile(np.arange(shots) < 2, people)
    return features.astype(np.float32), pids, asks


@pytest.mark.parametrize('settings', [
    dict(k1=20, k2=6, weight=0.3),
    dict(k1=7, k2=3, weight=0.3),
    dict(k1=8, k2=1, weight=0.),
    dict(k1=200, k2=6, weight=0.5),
])
@pytest.mark.parametrize('seed', range(3))
def test_equals_sets_and_loops(seed, settings):
    features, _, asks = clouds(seed)
    query, gallery = features[asks], features[~asks]
    reranking = Reranking(*map(torch.from_numpy, (query, gallery)), **settings)
    rows = torch.arange(len(query))
    found = -torch.cat([reranking.similarity(r) for r in rows.split(5)])
    settings = dict(settings, k1=min(settings['k1'], len(features) - 1))
    np.testing.assert_allclose(
        found, slow_distances(query, gallery, **settings), atol=2e-6)


def tied(rng, kind, count):
    """Features without ties, with exact ones, or of a few pictures only."""
    if kind == 'none':
        return rng.normal(size=(count, 6))
    if kind == 'signs':  # of norm 2: products are exact
        return rng.choice([-1., 1.], (count, 4))
    few = rng.normal(size=(max(2, count // 3), 4))
    return few[rng.integers(0, len(few), count)]


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['none', 'signs', 'copies'])
def test_equals_sets_and_loops_in_small_searches(kind):
    """100 of each kind; most galleries are smaller than k1."""
    rng = np.random.default_rng(0)
    for case in range(100):
        asks, total = rng.integers(1, 6), rng.integers(7, 24)
        k1 = int(rng.integers(2, 26))
        k2 = int(rng.integers(1, min(k1, 8) + 1))
        weight = float(rng.choice([0, 0.3, 1]))
        points = tied(rng, kind, total).astype(np.float32)
        reranking = Reranking(
            *map(torch.from_numpy, (points[:asks], points[asks:])), k1, k2,
            weight)
        found = -reranking.similarity(torch.arange(asks))
        wanted = slow_distances(points[:asks], points[asks:],
                                min(k1, total - 1), k2, weight)
        np.testing.assert_allclose(found, wanted, atol=5e-6, err_msg=case)


def test_one_feature_for_everybody_gets_no_credit():
    """All distances are equal: wrong answers rank first."""
    pids = torch.arange(40) // 4
    asks = torch.arange(40) % 4 == 0
    sides = []
    for camera, side in enumerate((asks, ~asks)):
        sides += [
            torch.full((int(side.sum()), 5), 0.3), pids[side],
            torch.full((int(side.sum()), ), camera)
        ]
    scores = retrieval_scores(*sides, rerank=dict(k1=7, k2=3))
    assert scores.rank1 == 0
    assert scores.map < 0.1


def test_in_chunks_as_at_once(monkeypatch):
    features, _, asks = clouds(3)
    query, gallery = (torch.from_numpy(features[a]) for a in (asks, ~asks))
    rows = torch.arange(len(query))
    whole = Reranking(query, gallery).similarity(rows)
    monkeypatch.setattr('saip_mm.evaluation.rerank.ROWS', 7)
    torch.testing.assert_close(
        Reranking(query, gallery).similarity(rows), whole)


def test_weight_of_one_ranks_as_similarity_does_and_neighbours_help():
    for seed in range(4):
        features, pids, asks = clouds(seed, 10, 25, spread=1., width=6)
        sides = []
        for camera, side in enumerate((asks, ~asks)):
            sides += [
                torch.from_numpy(features[side]),
                torch.from_numpy(pids[side]),
                torch.full((int(side.sum()), ), camera)
            ]
        plain, same, other = (
            retrieval_scores(*sides, rerank=rerank).map
            for rerank in (None, dict(weight=1.), dict()))
        assert same == pytest.approx(plain)
        assert other > plain + 0.01


@pytest.mark.parametrize(
    'settings',
    [dict(k1=1), dict(k2=0),
     dict(k1=4, k2=5),
     dict(weight=1.1)])
def test_wrong_settings(settings):
    with pytest.raises(ValueError, match='re-ranking takes k1 of at least 2'):
        Reranking(torch.eye(3), torch.eye(3), **settings)
