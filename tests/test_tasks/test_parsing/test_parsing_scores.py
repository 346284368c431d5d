import numpy as np
import pytest
import torch

from saip_mm.evaluation import confusion_matrix, part_scores
from saip_mm.tasks.parsing import parsing_scores as ps
from saip_mm.tasks.parsing.parts import join_maps
from .golden import GOLDEN, PICTURES

T = ps.THRESHOLDS

# independent restatement: whole maps, loops, every class by itself


def slow_iou(p, g, c):
    inter = union = 0
    for a, b in zip(p.ravel(), g.ravel()):
        inter += a == c and b == c
        union += a == c or b == c
    return inter / union if union else None


def slow_overlaps(p, persons):
    table = [[slow_iou(p, g, c) for c in range(20)] for g in persons]
    means = []
    for row in table:
        known = [v for v in row if v is not None]
        means.append(sum(known) / len(known))
    return table, means


def slow_scores(pictures, min_score=0.001):
    """Of pictures: persons (maps), found ((score, map))."""
    detections, total = [], 0
    for number, (persons, found) in enumerate(pictures):
        total += len(persons)
        for score, p in found:
            if score >= min_score:
                table = slow_overlaps(p, persons) if persons else None
                detections.append((score, number, table))
    detections.sort(key=lambda d: -d[0])  # stable
    ap, pcp = [], []
    for t in T:
        taken, flags, shares = set(), [], 0.
        for _, number, tables in detections:
            persons = pictures[number][0]
            hit = False
            if persons:
                table, means = tables
                best = means.index(max(means))
                hit = means[best] > t and (number, best) not in taken
                if hit:
                    taken.add((number, best))
                    kinds = set(persons[best].ravel().tolist()) - {0}
                    good = sum((table[best][c] or 0) > t for c in range(1, 20))
                    shares += good / len(kinds)
            flags.append(hit)
        recall = [0.]
        precision = [0.]
        for k in range(1, len(flags) + 1):
            recall.append(sum(flags[:k]) / total)
            precision.append(sum(flags[:k]) / k)
        recall.append(1.)
        precision.append(0.)
        for k in range(len(precision) - 2, -1, -1):
            precision[k] = max(precision[k], precision[k + 1])
        ap.append(
            sum((recall[k] - recall[k - 1]) * precision[k]
                for k in range(1, len(recall)) if recall[k] != recall[k - 1]))
        pcp.append(shares / total)
    return ap, pcp


def crops_of(found, rng=None):
    """Maps as crops, of any size that holds them."""
    parsings = []
    for _, p in found:
        rows, columns = np.nonzero(p)
        y0, x0, y1, x1 = 0, 0, *p.shape
        if rng is not None and len(rows):
            y0, x0 = rng.integers(0, [rows.min() + 1, columns.min() + 1])
            y1 = rng.integers(rows.max() + 1, p.shape[0] + 1)
            x1 = rng.integers(columns.max() + 1, p.shape[1] + 1)
        parsings.append((int(x0), int(y0), p[y0:y1, x0:x1].astype(np.uint8)))
    return parsings


def join_persons(persons, size, numbers=None):
    """Maps of single persons, which do not overlap, as one."""
    parts, humans = np.zeros((2, *size), int)
    for number, g in zip(numbers or range(1, 99), persons):
        parts[g > 0], humans[g > 0] = g[g > 0], number
    return join_maps(parts, humans)


def matches_of(pictures, rng=None, numbers=None):
    return [
        ps.match_persons(
            crops_of(found, rng), np.array([score for score, _ in found]),
            join_persons(persons, size, numbers), 20)
        for size, persons, found in pictures
    ]


def test_golden_values():
    """Printed by the reference's own functions."""
    sized = [((8, 10), *picture) for picture in PICTURES]
    matches = matches_of(sized)
    overlaps = np.concatenate([m.overlaps for m in matches])
    assert np.allclose(overlaps, GOLDEN['m'], atol=1e-10)
    assert [m.best.tolist() for m in matches] == [[0, 1, 0], [0]]
    scores = ps.person_scores(matches)
    assert np.allclose(scores['AP'], GOLDEN['AP'], atol=1e-10)
    assert np.allclose(scores['PCP'], GOLDEN['PCP'], atol=1e-10)
    table = 0
    for persons, found in PICTURES:
        painted = ps.paint_persons(
            crops_of(found), [score for score, _ in found], 8, 10, 0.3)
        whole = sum(persons)
        table = table + confusion_matrix(*map(np_to_torch,
                                              (whole, painted)), 20).numpy()
    pixels = part_scores(table)
    for key, name in (('mIoU', 'mIoU'), ('mAcc', 'mAcc'), ('aAcc', 'pixel')):
        assert pixels[key] / 100 == pytest.approx(GOLDEN[name], abs=1e-10)


def np_to_torch(array):
    return torch.from_numpy(np.asarray(array).astype(np.int64))


def test_restated_golden_values():
    """The restatement of these tests is right."""
    ap, pcp = slow_scores(PICTURES)
    assert np.allclose(ap, GOLDEN['AP'], atol=1e-10)
    assert np.allclose(pcp, GOLDEN['PCP'], atol=1e-10)


def random_pictures(rng):
    """Persons who do not overlap, and guesses near them or anywhere."""
    pictures = []
    for _ in range(rng.integers(1, 4)):
        size = tuple(rng.integers(4, 9, 2))
        owner = rng.integers(0, rng.integers(1, 4) + 1, size)
        kinds = rng.integers(1, 20, 4)
        parts = rng.choice(kinds, size)
        persons = [np.where(owner == h, parts, 0) for h in range(1, 4)]
        persons = [g for g in persons if g.any()]
        found = []
        for _ in range(rng.integers(0, 5)):
            base = (
                persons[rng.integers(len(persons))] if persons else np.zeros(
                    size, int))
            noise = rng.random(size) < rng.choice([0., 0.1, 0.4, 1.])
            guess = np.where(noise, rng.choice([0, *kinds], size), base)
            # few scores, so that some are equal
            score = float(rng.choice([0.0005, 0.2, 0.5, 0.9]))
            found.append((score, guess))
        pictures.append((size, persons, found))
    return pictures


@pytest.mark.parametrize('seed', range(12))
def test_random_cases_against_the_restatement(seed):
    rng = np.random.default_rng(seed)
    pictures = random_pictures(rng)
    if not any(persons for _, persons, _ in pictures):
        pictures.append(((4, 4), [np.full((4, 4), 3)], []))
    ap, pcp = slow_scores([picture[1:] for picture in pictures])
    # persons' numbers may have gaps
    for numbers in (None, (2, 5, 9)):
        scores = ps.person_scores(matches_of(pictures, rng, numbers))
        assert np.allclose(scores['AP'], ap, atol=1e-12)
        assert np.allclose(scores['PCP'], pcp, atol=1e-12)


# worked out by hand: a person of columns 0-1, one of columns 3-4

LEFT, RIGHT = np.zeros((2, 2, 6), int)
LEFT[:, 0], LEFT[:, 1] = 14, 5
RIGHT[:, 3:5] = 5


def hand_worked(persons, found):
    scores = ps.person_scores(matches_of([((2, 6), persons, found)]))
    return scores['AP'], scores['PCP']


def test_missed_person():
    ap, pcp = hand_worked([LEFT, RIGHT], [(0.9, LEFT)])
    assert (ap == 0.5).all() and (pcp == 0.5).all()


def test_extra_person():
    """Found twice: the second is false, at all thresholds."""
    ap, pcp = hand_worked([LEFT], [(0.9, LEFT), (0.8, LEFT)])
    assert (ap == 1).all() and (pcp == 1).all()  # false after all were found
    other = np.zeros((2, 6), int)
    other[:, 5] = 9
    # overlaps with LEFT: background 6 of 12, three parts 0: mean 1/8
    ap, pcp = hand_worked([LEFT], [(0.9, other), (0.8, LEFT)])
    assert (ap[1:] == 0.5).all() and (pcp == [0] + [1] * 8).all()
    assert ap[0] == 1  # the wrong one takes the person at 0.1


def test_swapped_parts():
    """Background right, both parts wrong: 8/8, 0, 0 of three: 1/3."""
    swapped = np.zeros((2, 6), int)
    swapped[:, 0], swapped[:, 1] = 5, 14
    ap, pcp = hand_worked([LEFT], [(0.9, swapped)])
    assert ap.tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert not pcp.any()


def test_picture_without_persons_and_person_without_prediction():
    sized = [((2, 6), [], [(0.9, LEFT)]), ((2, 6), [LEFT], [(0.8, LEFT)])]
    scores = ps.person_scores(matches_of(sized))
    assert (scores['AP'] == 0.5).all() and (scores['PCP'] == 1).all()
    nothing = ps.person_scores(matches_of([((2, 6), [LEFT], [])]))
    assert not nothing['AP'].any() and not nothing['PCP'].any()
    with pytest.raises(ValueError, match='no person to evaluate'):
        ps.person_scores(matches_of([((2, 6), [], [(0.9, LEFT)])]))


def test_picture_full_of_a_person():
    """There is no background in union or intersection."""
    full = np.full((2, 6), 7)
    ap, pcp = hand_worked([full], [(0.5, full)])
    assert (ap == 1).all() and (pcp == 1).all()


def test_surer_persons_are_painted_over_others():
    parsings = [(0, 0, np.full((2, 3), 5, np.uint8)),
                (1, 0, np.array([[0, 6, 6]], np.uint8)),
                (0, 0, np.full((2, 4), 9, np.uint8))]
    painted = ps.paint_persons(parsings, [0.5, 0.8, 0.29], 2, 4, 0.3)
    assert painted.tolist() == [[5, 5, 6, 6], [5, 5, 5, 0]]
    assert ps.paint_persons([], [], 2, 2, 0.3).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize('parsing, error', [
    ((-1, 0, np.zeros((2, 2), np.uint8)), 'columns -1 to 1 and rows 0 to 2'),
    ((3, 0, np.zeros((2, 2), np.uint8)), 'beyond the picture of 4x4'),
    ((0, 3, np.zeros((2, 2), np.uint8)), 'p7: person 0 covers'),
    ((0, 0, np.full((2, 2), 20, np.uint8)), 'has a part 20; there are 0-19'),
])
def test_persons_beyond_the_picture(parsing, error):
    with pytest.raises(ValueError, match=error):
        ps.check_parsings([parsing], (4, 4), 20, 'p7')
