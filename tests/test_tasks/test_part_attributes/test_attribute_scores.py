"""Against the data set's own package, and a slow restatement in loops."""
from functools import lru_cache

import numpy as np
import pytest

from saip_mm.datasets.fashion_taxonomy import (ATTRIBUTE_IDS, ATTRIBUTES,
                                               CATEGORIES, GROUPS,
                                               WITH_ATTRIBUTES)

pytest.importorskip('mmdet')

from saip_mm.tasks.part_attributes.attribute_scores import AREAS  # noqa: E402
from saip_mm.tasks.part_attributes.attribute_scores import OFF  # noqa: E402
from saip_mm.tasks.part_attributes.attribute_scores import \
    THRESHOLDS  # noqa: E402
from saip_mm.tasks.part_attributes.attribute_scores import score  # noqa: E402
from saip_mm.tasks.part_attributes.attribute_scores import set_f1  # noqa: E402
from saip_mm.tasks.part_attributes.fashion_file import \
    FashionFile  # noqa: E402
from saip_mm.tasks.part_attributes.metric import named_scores  # noqa: E402
from saip_mm.tasks.part_attributes.outlines import run_length  # noqa: E402
from saip_mm.tasks.part_attributes.predictions import \
    FashionLabels  # noqa: E402

SIDE = 200
# picture, category, box x, y, w, h, attributes
LABELS = [
    (1, 10, [20, 20, 100, 150], {115, 142, 295, 317}),
    (1, 31, [20, 30, 30, 60], {157, 160}),
    (1, 31, [100, 30, 30, 60], {157, 160}),
    (1, 23, [40, 170, 30, 20], set()),
    (1, 23, [90, 170, 30, 20], set()),
    (2, 0, [50, 40, 80, 80], {0, 136, 281}),
    (2, 31, [40, 50, 20, 50], set()),
    (2, 33, [70, 40, 30, 10], {195}),
]
# picture, category, box, mask's box, attributes, score
PREDICTIONS = [
    (1, 10, [22, 20, 98, 148], None, {115, 142, 295, 317}, .95),
    (1, 10, [20, 20, 100, 150], None, {115}, .60),
    (1, 31, [20, 30, 30, 54], [20, 30, 30, 48], {157, 160}, .90),
    (1, 31, [100, 32, 30, 58], [100, 32, 28, 58], {157}, .80),
    (1, 23, [40, 170, 30, 20], [40, 170, 30, 18], {5}, .70),
    (1, 23, [95, 170, 30, 20], None, set(), .75),
    (2, 0, [50, 40, 80, 70], [50, 40, 80, 60], {0, 136, 2}, .85),
    (2, 31, [40, 50, 20, 45], None, set(), .65),
    (2, 31, [100, 100, 30, 30], None, {157}, .50),
    (2, 33, [70, 40, 30, 10], [70, 40, 30, 9], {195, 196}, .55),
]
HALF, THREE_QUARTERS = slice(0, 1), slice(5, 6)


def rectangle(x, y, w, h):
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


def labels_of(rows, pictures=(1, 2), crowds=()):
    annotations = [
        dict(
            id=number,
            image_id=picture,
            category_id=category,
            bbox=box,
            area=box[2] * box[3],
            iscrowd=int(number in crowds),
            segmentation=rectangle(*box),
            attribute_ids=sorted(own))
        for number, (picture, category, box, own) in enumerate(rows, 1)
    ]
    images = [dict(id=i, height=SIDE, width=SIDE) for i in pictures]
    names = [term.name for term in CATEGORIES]
    file = FashionFile(images, annotations, names, [], [])
    return FashionLabels(file, 'val.json')


def predictions_of(rows):
    return [
        dict(
            image_id=picture,
            category_id=category,
            bbox=box,
            score=value,
            segmentation=run_length(rectangle(*(mask or box)), SIDE, SIDE),
            attribute_ids=sorted(own))
        for picture, category, box, mask, own, value in rows
    ]


def golden(kind):
    labels, predictions = labels_of(LABELS), predictions_of(PREDICTIONS)
    return score(labels.pair(predictions, kind))


@pytest.mark.parametrize('true, found, wanted', [
    (set(), {4}, .4991482),
    ({157, 160}, {157}, .8324786),
    ({0, 136, 281}, {0, 136, 2}, .8316151),
    ({115, 142, 295, 317}, {115}, .6974271),
    (set(), set(), 1.),
    ({3, 4}, {3, 4}, 1.),
])
def test_f1_of_sets(true, found, wanted):
    assert set_f1([true], [found], 294) == pytest.approx(wanted, abs=5e-8)


@pytest.mark.parametrize('kind, wanted', [
    ('bbox', (.75953876, .82105772, .80282540, .86861386, 1.0, .85049505,
              .86861386, .82105772, .77276423)),
    ('segm', (.67931257, .82105772, .80282540, .77788779, 1.0, .85049505,
              .77788779, .82105772, .69837398)),
])
def test_golden_averages(kind, wanted):
    scores = golden(kind)
    found = (scores.ap(), scores.ap(HALF), scores.ap(THREE_QUARTERS),
             scores.ap(f1=HALF), scores.ap(HALF, HALF),
             scores.ap(THREE_QUARTERS, HALF), scores.ap(f1=OFF),
             scores.ap(iou=OFF), scores.ar())
    assert found == pytest.approx(wanted, abs=5e-9)
    named = named_scores(scores)
    assert [
        named[key]
        for key in ('AP_iou_f1', 'AP50_f150', 'AP_iou', 'AP_f1', 'AR@100')
    ] == [found[i] for i in (0, 4, 6, 7, 8)]


@pytest.mark.parametrize('kind, wanted', [
    ('bbox',
     dict(
         AP_o=.78,
         AP_a=.62623762,
         AP_p=.74574257,
         AP_s=.7917256,
         AP_m=.67200495,
         AP_l=1.0)),
    ('segm',
     dict(
         AP_o=.71,
         AP_a=.60099010,
         AP_p=.65254125,
         AP_s=.75719,
         AP_m=.52569307,
         AP_l=1.0)),
])
def test_golden_groups_and_sizes(kind, wanted):
    found = named_scores(golden(kind))
    assert {
        key: found[key]
        for key in wanted
    } == pytest.approx(
        wanted, abs=5e-8)


@pytest.mark.parametrize('kind, most, wanted', [('bbox', 1, .70365854),
                                                ('bbox', 10, .77276423),
                                                ('segm', 1, .63617886)])
def test_golden_recalls(kind, most, wanted):
    assert golden(kind).ar(most) == pytest.approx(wanted, abs=5e-9)


@pytest.mark.parametrize('kind, wanted', [
    ('bbox', {
        0: .56,
        10: 1.0,
        31: .79148515,
        33: .70,
        23: .62623762
    }),
    ('segm', {
        0: .42,
        10: 1.0,
        31: .67508251,
        33: .63,
        23: .60099010
    }),
])
def test_golden_categories(kind, wanted):
    scores = golden(kind)
    for category, value in wanted.items():
        assert scores.ap(categories=[category]) == pytest.approx(
            value, abs=5e-9)
    assert scores.ap(categories=[5]) is None


@lru_cache(maxsize=None)
def slow_f1(true, found):
    """Over the multi-hot vectors, label by label."""
    values = []
    for wanted in (1, 0):
        right = wrong = missed = 0
        for number in range(len(ATTRIBUTES)):
            ours, theirs = int(number in true), int(number in found)
            right += ours == theirs == wanted
            wrong += theirs == wanted and ours != wanted
            missed += ours == wanted and theirs != wanted
        whole = 2 * right + wrong + missed
        values.append(2 * right / whole if whole else 1.)
    return 1. if not true | found else sum(values) / 2


def slow_iou(a, b, crowd):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    own, other = a[2] * a[3], b[2] * b[3]
    return both / (own if crowd else own + other - both)


def slow_match(predictions, labels, t, u, low, high, attributes):
    """One picture, category and pair of thresholds: 1 right, 0 wrong, None
    ignored, in the order of the scores."""
    predictions = sorted(predictions, key=lambda p: -p['score'])[:100]

    def unused(label):
        return label['iscrowd'] or not low <= label['area'] <= high

    labels = sorted(labels, key=unused)
    taken, outcomes = set(), []
    for prediction in predictions:
        iou, f1, best = min(t, 1 - 1e-10), min(u, 1 - 1e-10), None
        for label in labels:
            if label['id'] in taken and (attributes or not label['iscrowd']):
                continue
            if best and not unused(best) and unused(label):
                break
            own = slow_iou(prediction['bbox'], label['bbox'], label['iscrowd'])
            if own < iou:
                continue
            if attributes:
                agreement = slow_f1(
                    frozenset(label['attribute_ids']),
                    frozenset(prediction['attribute_ids']))
                if agreement < f1:
                    continue
                f1 = agreement
            iou, best = own, label
        if best:
            taken.add(best['id'])
            outcomes.append(None if unused(best) else 1)
        else:
            area = prediction['bbox'][2] * prediction['bbox'][3]
            outcomes.append(0 if low <= area <= high else None)
    wanted = sum(not unused(label) for label in labels)
    return [(p['score'], o) for p, o in zip(predictions, outcomes)], wanted


def slow_curve(matched):
    """Precision at 101 recalls, and the last recall; None without labels."""
    wanted = sum(count for _, count in matched)
    if not wanted:
        return None
    rows = [row for outcomes, _ in matched for row in outcomes]
    rows.sort(key=lambda row: -row[0])  # stable
    right = wrong = 0
    points = []
    for _, outcome in rows:
        right += outcome == 1
        wrong += outcome == 0
        points.append(
            (right / wanted, right / (right + wrong) if right + wrong else 0.))
    curve = [
        max((p for r, p in points if r >= level), default=0.)
        for level in np.linspace(0, 1, 101)
    ]
    return curve, points[-1][0] if points else 0.


def slow_average(labels, predictions, ts, us, area, what, categories=None):
    values = []
    for category in SOME:
        if categories and category not in categories:
            continue
        attributes = category in WITH_ATTRIBUTES
        for t in ts:
            for u in us if attributes else (-1, ):
                matched = [
                    slow_match([
                        p for p in predictions
                        if (p['category_id'], p['image_id']) == (category, i)
                    ], labels.labels.get((category, i), []), t, u,
                               *AREAS[area], attributes)
                    for i in sorted(labels.sizes)
                ]
                found = slow_curve(matched)
                if found:
                    values += found[0] if what == 'ap' else [found[1]]
    return sum(values) / len(values) if values else None


SOME = (0, 10, 23, 31)  # with attributes, but for shoes


def random_case(seed):
    """Labels, and predictions near them, of three pictures."""
    rng = np.random.default_rng(seed)

    def attributes(category):
        count = int(rng.integers(0, 4)) if category in WITH_ATTRIBUTES else 0
        return set(rng.choice(ATTRIBUTE_IDS, count, replace=False).tolist())

    rows, found = [], []
    for picture in (1, 2, 3):
        for _ in range(int(rng.integers(0, 9))):
            category = int(rng.choice(SOME))
            x, y = rng.integers(0, 100, 2).tolist()
            w, h = rng.choice([20, 32, 60, 96], 2).tolist()
            rows.append((picture, category, [x, y, w,
                                             h], attributes(category)))
    for picture, category, box, own in rows:
        for _ in range(int(rng.integers(0, 3))):
            near = [v + int(d) for v, d in zip(box, rng.integers(-4, 5, 4))]
            theirs = own if rng.random() < .5 else attributes(category)
            # scores repeat
            found.append((picture, category, near, None, theirs,
                          float(rng.integers(1, 9)) / 10))
    crowds = {
        number
        for number in range(1,
                            len(rows) + 1) if rng.random() < .15
    }
    return labels_of(rows, (1, 2, 3), crowds), predictions_of(found)


@pytest.mark.parametrize('seed', range(8))
def test_as_written_out_in_loops(seed):
    labels, predictions = random_case(seed)
    scores = score(labels.pair(predictions, 'bbox'))
    some = (0, 5, 9)
    for place in some:
        steps = slice(place, place + 1)
        level = [THRESHOLDS[place]]
        for area in AREAS:
            assert scores.ap(steps, steps, area) == same(
                slow_average(labels, predictions, level, level, area, 'ap'))
        assert scores.ap(steps, OFF) == same(
            slow_average(labels, predictions, level, [-1], 'all', 'ap'))
        assert scores.ap(
            OFF, steps, categories=GROUPS['p']) == same(
                slow_average(labels, predictions, [-1], level, 'all', 'ap',
                             GROUPS['p']))


@pytest.mark.parametrize('seed', range(1))
def test_all_thresholds_as_written_out_in_loops(seed):
    labels, predictions = random_case(seed)
    scores = score(labels.pair(predictions, 'bbox'))
    steps = np.linspace(.5, .95, 10)
    for what, found in (('ap', scores.ap()), ('ar', scores.ar())):
        assert found == same(
            slow_average(labels, predictions, steps, steps, 'all', what))


def same(value):
    return None if value is None else pytest.approx(value, abs=1e-12)
