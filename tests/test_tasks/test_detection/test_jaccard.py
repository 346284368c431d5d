import numpy as np
import pytest

pytest.importorskip('mmdet')

from saip_mm.tasks.detection.jaccard import SCORES  # noqa: E402
from saip_mm.tasks.detection.jaccard import JaccardIndex  # noqa: E402
from saip_mm.tasks.detection.jaccard import pair_up  # noqa: E402
from .test_metric import slow_jaccard  # noqa: E402

NOWHERE = np.zeros((0, 4))


def random_picture(seed):
    """Few boxes on each other; integers, with ties and halves, or not."""
    rng = np.random.default_rng(seed)

    def boxes(number):
        near = rng.integers(0, 12, (number, 2))
        return np.concatenate([near, near + rng.integers(4, 17, (number, 2))],
                              1)

    persons, ignored = boxes(rng.integers(0, 5)), boxes(rng.integers(0, 3))
    every = np.concatenate([persons, persons, boxes(2)])
    found = every[rng.integers(0, len(every), rng.integers(0, 6))]
    found = found + rng.integers(-2, 3, found.shape)
    found[:, 2:] = np.maximum(found[:, 2:], found[:, :2])
    noise = rng.normal(0, .1, found.shape) * (seed % 2)
    scores = rng.integers(0, 11, len(found)) / 10
    return found + noise, scores, persons * 1., ignored * 1.


def test_restated():
    """Every score threshold of 1000 pictures; all pairings are tried."""
    ratios = set()
    for seed in range(1000):
        found, scores, persons, ignored = random_picture(seed)
        index = JaccardIndex()
        index.add(found, scores, persons, ignored)
        best, before = [], None
        for step in range(10):
            kept = found[scores > 0.1 * step]
            if len(kept) != before:
                before = len(kept)
                counts = slow_jaccard(kept.tolist(), persons.tolist(),
                                      ignored.tolist())
            wanted = [k / (n + m - k + 1e-6) for k, n, m in counts]
            closest = min(wanted, key=lambda x: abs(x - index.sums[step]))
            assert index.sums[step] == pytest.approx(closest, abs=1e-12), seed
            assert index.pictures[step] in {
                int(n > 0 or m > 0)
                for _, n, m in counts
            }
            best.append(closest)
        assert index.value() == pytest.approx(max(best), abs=1e-12)
        ratios.add(round(index.value(), 3))
    assert len(ratios) > 10


def test_the_largest_weight_is_not_the_largest_number():
    """One pair of 0.95 and one of 0.6 before two of 0.7."""
    iou = np.array([[0.95, 0.7], [0.7, 0.]])
    rows, columns = pair_up(iou, 0.5)
    assert list(zip(rows, columns)) == [(0, 1), (1, 0)]  # 1.4 > 0.95
    iou = np.array([[0.95, 0.51], [0.43, 0.]])
    rows, columns = pair_up(iou, 0.5)
    assert list(zip(rows, columns)) == [(0, 0)]
    rows, columns = pair_up(np.array([[0.5]]), 0.5)
    assert rows.size == columns.size == 0


def test_pictures_in_which_nothing_counts_are_left_out():
    one = np.array([[0., 0., 10., 10.]])
    index = JaccardIndex()
    index.add(NOWHERE, np.zeros(0), NOWHERE, one)
    assert index.value() == 0 and not index.pictures.any()
    index.add(one, np.ones(1), one, NOWHERE)
    index.add(one, np.ones(1), NOWHERE, one)  # absorbed
    assert index.pictures.tolist() == [1] * len(SCORES)
    assert index.value() == pytest.approx(1, abs=1e-5)
