import numpy as np
import pytest
import torch

from saip_mm.tasks.text_reid.metric import (CaptionRetrievalMetric,
                                            search_scores)

GOLDEN = torch.tensor([(.9, .8, .1, .3), (.2, .7, .6, .5), (.1, .2, .3, .4)])


def slow_scores(query, query_pids, gallery, gallery_pids):
    """Loops in float64; of ties the wrong ones come first."""
    q = query / np.linalg.norm(query, axis=1, keepdims=True)
    g = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
    found = []
    for vector, pid in zip(q, query_pids):
        ranked = sorted(((-float(vector @ other), int(name == pid))
                         for other, name in zip(g, gallery_pids)))
        hits = [match for _, match in ranked]
        if not any(hits):
            continue
        places = [k for k, hit in enumerate(hits, 1) if hit]
        precision = [(n + 1) / k for n, k in enumerate(places)]
        found.append([
            any(hits[:1]),
            any(hits[:5]),
            any(hits[:10]),
            np.mean(precision),
            len(places) / places[-1]
        ])
    return 100 * np.mean(found, axis=0)


def test_golden_value():
    """Similarities as features against the identity."""
    gallery = torch.eye(4)
    # the rows' norms change no order
    scores = search_scores(GOLDEN, torch.tensor([1, 2, 1]), gallery,
                           torch.tensor([1, 2, 1, 2]), (1, 2))
    assert scores['Rank-1'] == pytest.approx(66.66667, abs=1e-5)
    assert scores['Rank-2'] == 100
    assert scores['mAP'] == pytest.approx(69.44445, abs=1e-5)
    assert scores['mINP'] == pytest.approx(55.55556, abs=1e-5)


@pytest.mark.parametrize('share', range(4))
def test_a_thousand_random_cases(share):
    """Two hundred and fifty each, missing persons and repeated features."""
    rng = np.random.default_rng(share)
    for _ in range(250):
        queries, entries = rng.integers(1, 12), rng.integers(1, 25)
        persons = rng.integers(1, 8)
        gallery = rng.normal(size=(entries, 3))
        query = rng.normal(size=(queries, 3))
        if rng.random() < 0.3:  # ties: the same feature again
            gallery[rng.integers(entries)] = gallery[0]
        gallery = gallery.astype(np.float32)
        query = query.astype(np.float32)
        names = rng.integers(0, persons, entries)
        asked = rng.integers(0, persons + 1, queries)
        asked[0] = names[0]  # one at least can be answered
        scores = search_scores(
            torch.from_numpy(query), torch.from_numpy(asked),
            torch.from_numpy(gallery), torch.from_numpy(names))
        wanted = slow_scores(
            query.astype(np.float64), asked, gallery.astype(np.float64), names)
        keys = ('Rank-1', 'Rank-5', 'Rank-10', 'mAP', 'mINP')
        assert [scores[k] for k in keys] == pytest.approx(list(wanted))


def samples(features, sentences, pids):
    return [
        dict(
            feature=feature,
            caption_features=texts,
            pid=pid,
            captions=[f'about {pid}'] * len(texts),
            img_path=f'{pid}.png')
        for feature, texts, pid in zip(features, sentences, pids)
    ]


def run(metric, given):
    for one in given:  # batches of one
        metric.process(None, [one])
    return metric.evaluate(len(given))


def test_pictures_with_their_sentences():
    torch.manual_seed(0)
    features = torch.randn(6, 4)
    sentences = [torch.randn(n, 4) for n in (2, 0, 1, 3, 1, 2)]
    pids = [1, 1, 2, 3, 2, 4]
    found = run(CaptionRetrievalMetric(), samples(features, sentences, pids))
    texts = torch.cat(sentences)
    asked = [p for p, s in zip(pids, sentences) for _ in s]
    wanted = slow_scores(texts.double().numpy(), asked,
                         features.double().numpy(), pids)
    keys = ('Rank-1', 'Rank-5', 'Rank-10', 'mAP', 'mINP')
    assert [found[f't2i/{k}'] for k in keys] == pytest.approx(list(wanted))
    other = run(
        CaptionRetrievalMetric('i2t'), samples(features, sentences, pids))
    wanted = slow_scores(features.double().numpy(), pids,
                         texts.double().numpy(), asked)
    assert [other[f'i2t/{k}'] for k in keys] == pytest.approx(list(wanted))


def test_ranks_beyond_the_gallery():
    found = search_scores(
        torch.eye(2), torch.arange(2),
        torch.eye(2).flip(0), torch.arange(2))
    assert (found['Rank-1'], found['Rank-5'], found['Rank-10']) == (0, 100,
                                                                    100)


def test_queries_of_nobody(log):
    found = search_scores(
        torch.eye(2), torch.tensor([0, 9]), torch.eye(2), torch.arange(2))
    assert found['Rank-1'] == 100
    assert '1 of 2 queries are of nobody in the gallery' in log.text
    with pytest.raises(ValueError, match='none of 2 queries is of a person'):
        search_scores(
            torch.eye(2), torch.tensor([8, 9]), torch.eye(2), torch.arange(2))
    with pytest.raises(ValueError, match='0 queries and a gallery of 2'):
        search_scores(
            torch.zeros(0, 2), torch.arange(0), torch.eye(2), torch.arange(2))


@pytest.mark.parametrize('value, said', [(0., 'is zero'),
                                         (float('nan'), 'holds NaN')])
def test_vectors_without_direction_are_named(value, said):
    good, bad = torch.ones(1, 3), torch.full((1, 3), value)
    with pytest.raises(ValueError, match=f"vector of '7.png' {said}"):
        CaptionRetrievalMetric().process(None, samples(bad, [good], [7]))
    with pytest.raises(
            ValueError, match=f"caption 'about 7' of '7.png' {said}"):
        CaptionRetrievalMetric().process(None, samples(good, [bad], [7]))


def test_what_is_missing():
    with pytest.raises(ValueError, match="no .'feature'"):
        CaptionRetrievalMetric().process(None, [dict(pid=1)])
    with pytest.raises(ValueError, match="direction 't2t' is unknown"):
        CaptionRetrievalMetric('t2t')
