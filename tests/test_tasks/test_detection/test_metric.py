import json
import math

import numpy as np
import pytest

pytest.importorskip('mmdet')

from mmdet.evaluation import CrowdHumanMetric  # noqa: E402

from saip_mm.tasks.detection import CrowdHumanPersonMetric  # noqa: E402
from saip_mm.tasks.detection import crowd_scores as cs  # noqa: E402
from .crowd_files import person  # noqa: E402

# worked out with CrowdDet's own evaluation: width, height, labels, detections
# as x, y, w, h, score
CASE = {
    'a': ((200, 100), [
        person([10, 10, 40, 80]),
        person([60, 10, 40, 80]),
        person([120, 10, 40, 80], 1),
        person([160, 0, 60, 100], tag='mask')
    ], [(12, 12, 38, 78, .95), (62, 8, 40, 80, .9), (61, 14, 36, 70, .85),
        (122, 12, 38, 76, .8), (165, 10, 30, 60, .75), (100, 80, 20, 15, .6),
        (11, 11, 40, 80, .55)]),
    'b': ((100, 100), [
        person([-20, 20, 60, 60]),
        person([50, 50, 30, 40]),
        person([85, 0, 10, 20])
    ], [(-18, 22, 58, 56, .92), (52, 52, 30, 40, .7), (5, 5, 10, 10, .65),
        (70, 10, 20, 20, .3)]),
    'c': ((50, 50), [person([0, 0, 50, 50],
                            tag='mask')], [(10, 10, 20, 20, .99)]),
}


class Tensor:
    """Enough of a tensor for mmdet's process()."""

    def __init__(self, array):
        self.array = np.asarray(array, dtype=np.float64)

    def cpu(self):
        return self

    def numpy(self):
        return self.array


def samples(case, order=None):
    for name in order or case:
        (width, height), _, detections = case[name]
        boxes = np.array(detections, dtype=np.float64).reshape(-1, 5)
        boxes[:, 2:4] += boxes[:, :2]
        yield dict(
            img_id=name,
            ori_shape=(height, width),
            pred_instances=dict(
                bboxes=Tensor(boxes[:, :4]), scores=Tensor(boxes[:, 4])))


def write_labels(path, case):
    path.write_text('\n'.join(
        json.dumps(dict(ID=name, gtboxes=boxes))
        for name, (_, boxes, _) in case.items()))
    return str(path)


def evaluate(tmp_path, case, cls=CrowdHumanPersonMetric, order=None, **kwargs):
    ann_file = write_labels(tmp_path / 'val.odgt', case)
    metric = cls(ann_file=ann_file, **kwargs)
    batch = list(samples(case, order))
    metric.process({}, batch)
    scores = metric.evaluate(len(batch))
    return {k.removeprefix('crowd_human/'): v for k, v in scores.items()}


def without(case, name, index):
    size, boxes, detections = case[name]
    boxes = boxes[:index] + boxes[index + 1:]
    return case | {name: (size, boxes, detections)}


def clip(x, y, w, h, width, height):
    return (min(max(x, 0), width - 1), min(max(y, 0), height - 1),
            max(min(x + w, width), 0), max(min(y + h, height), 0))


def area(box):
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def inter(a, b):
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2],
                                                       b[2]), min(a[3], b[3])))


def overlap(a, b):
    return inter(a, b) / (area(a) + area(b) - inter(a, b) + 1e-6)


def split(size, boxes):
    """Persons and ignored regions, clipped."""
    real, ignored = [], []
    for box in boxes:
        lost = box['tag'] != 'person' or box.get('extra', {}).get('ignore')
        (ignored if lost else real).append(clip(*box['fbox'], *size))
    return real, ignored


def matchings(weights, row=0, used=()):
    """All ways to pair rows with columns, as (total weight, pairs)."""
    if row == len(weights):
        return [(0., ())]
    found = list(matchings(weights, row + 1, used))
    for column, weight in weights[row].items():
        if column not in used:
            found += [(weight + total, ((row, column), *pairs))
                      for total, pairs in matchings(weights, row +
                                                    1, (*used, column))]
    return found


def slow_jaccard(detections, real, ignored, threshold=0.5):
    """Pairs, detections, persons: of every pairing of the largest weight."""

    def inside(box):
        return any(
            inter(box, x) / (area(box) + 1e-6) > threshold for x in ignored)

    weights = []
    for box in detections:
        row = {j: overlap(box, x) for j, x in enumerate(real)}
        weights.append({j: v for j, v in row.items() if v > threshold})
    every = matchings(weights)
    most = max(total for total, _ in every)
    counts = set()
    for total, pairs in every:
        if total > most - 1e-9:
            rows, columns = [i for i, _ in pairs], [j for _, j in pairs]
            counts.add((len(pairs),
                        sum(
                            i in rows or not inside(box)
                            for i, box in enumerate(detections)),
                        sum(
                            j in columns or not inside(box)
                            for j, box in enumerate(real))))
    return counts


def slow_scores(case):
    """The nine steps of the definition in plain loops."""
    rows, num_persons = [], 0
    for size, boxes, detections in case.values():
        real, ignored = split(size, boxes)
        num_persons += len(real)
        taken = set()
        for *box, score in sorted(detections, key=lambda d: -d[4]):
            box, best, most = clip(*box, *size), None, 0.5
            for i, label in enumerate(real):
                iou = overlap(box, label)
                if i not in taken and iou > most:
                    best, most = i, iou
            if best is not None:
                taken.add(best)
                rows.append((score, True))
            elif not any(
                    inter(box, x) / (area(box) + 1e-6) > 0.5 for x in ignored):
                rows.append((score, False))
    rows.sort(key=lambda row: -row[0])
    points, found = [], 0
    for number, (_, hit) in enumerate(rows, 1):
        found += hit
        points.append((found / num_persons, found / number,
                       (number - found) / len(case)))
    surface = sum(
        (b[0] - a[0]) * (b[1] + a[1]) / 2 for a, b in zip(points, points[1:]))
    logs = []
    for f in (0.01, 0.0178, 0.0316, 0.0562, 0.1, 0.1778, 0.3162, 0.5623, 1.):
        point = next((p for p in points if p[2] >= f), points[-1])
        logs.append(math.log(1 - point[0]) if point[0] < 1 else -math.inf)
    return dict(mAP=surface, mMR=math.exp(sum(logs) / 9), recall=points[-1][0])


def test_worked_case(tmp_path):
    scores = evaluate(tmp_path, CASE)
    assert scores['mAP'] == pytest.approx(0.555, abs=1e-12)
    assert scores['mMR'] == pytest.approx(0.3428975931, abs=1e-10)
    assert scores['recall'] == 0.8
    scores = evaluate(tmp_path, without(CASE, 'b', 2))
    assert scores['mAP'] == pytest.approx(0.69375, abs=1e-12)
    assert scores['mMR'] == 0  # everybody is found before one false positive


def random_case(seed):
    rng = np.random.default_rng(seed)
    case = {}
    for name in 'pqrst':
        size = (60, 50)
        boxes = rng.integers(0, 40, (rng.integers(1, 6), 4)) + [-8, -8, 5, 5]
        labels = [
            person(box.tolist(), int(rng.random() < 0.2),
                   'person' if rng.random() < 0.8 else 'mask') for box in boxes
        ]
        near = np.repeat(boxes, 3, 0) + rng.integers(-4, 5,
                                                     (3 * len(boxes), 4))
        near = np.concatenate([near, rng.integers(5, 30, (3, 4))])
        score = rng.integers(1, 10, len(near)) / 10  # with ties
        case[name] = (size, labels, [(*map(int, b), s)
                                     for b, s in zip(near, score)])
    case['p'][1].append(person([5, 5, 20, 20]))
    return case


@pytest.mark.parametrize('seed', range(8))
def test_restated_slowly_and_by_mmdet(tmp_path, seed):
    case = random_case(seed)
    scores = evaluate(tmp_path, case)
    wanted = slow_scores(case)
    assert scores.keys() == wanted.keys()
    for key, value in wanted.items():
        assert scores[key] == pytest.approx(value, abs=1e-12), key
    theirs = evaluate(tmp_path, case, CrowdHumanMetric, metric=['AP', 'MR'])
    for key in theirs:  # rounded to four decimals there
        assert theirs[key] == pytest.approx(scores[key], abs=5.1e-5)


def test_jaccard_index_is_mmdets_away_from_the_threshold(tmp_path):
    ours = evaluate(tmp_path, CASE, metric='JI')
    kwargs = dict(metric='JI', num_ji_process=1)
    theirs = evaluate(tmp_path, CASE, CrowdHumanMetric, **kwargs)
    assert ours['JI'] == pytest.approx(theirs['JI'], abs=5.1e-5)
    assert set(ours) == {'JI'} and 0 < ours['JI'] < 1


def test_jaccard_index_at_half_an_overlap(tmp_path):
    """CrowdDet wants more than that; mmdet's is 1."""
    half = dict(a=((50, 50), [person([0, 0, 10, 10])], [(0, 0, 10, 5, .9)]))
    assert evaluate(tmp_path, half, metric='JI')['JI'] == 0
    more = dict(a=((50, 50), [person([0, 0, 10, 10])], [(0, 0, 10, 6, .9)]))
    assert evaluate(
        tmp_path, more, metric='JI')['JI'] == pytest.approx(
            1, abs=1e-5)


def test_jaccard_index_without_labels(tmp_path):
    """mmdet stumbles over a picture without any box."""
    case = CASE | dict(c=((50, 50), [], CASE['c'][2]))
    assert evaluate(
        tmp_path, case, metric='JI')['JI'] < evaluate(
            tmp_path, CASE, metric='JI')['JI']  # its detection is false now


def jittered_case(seed):
    """Overlaps and scores that are all different."""
    rng = np.random.default_rng(seed)
    return {
        name:
        (size, boxes, [(*(np.array(box) + rng.normal(0, .3, 4)), rng.random())
                       for *box, _ in detections])
        for name, (size, boxes, detections) in random_case(seed).items()
    }


@pytest.mark.parametrize('seed', range(10))
def test_jaccard_index_of_pictures_restated(tmp_path, seed):
    case = jittered_case(seed)
    found = evaluate(tmp_path, case, metric='JI')['JI']
    means = []
    for step in range(10):
        ratios = []
        for size, boxes, detections in case.values():
            kept = [
                clip(*d[:4], *size) for d in detections if d[4] > 0.1 * step
            ]
            real, ignored = split(size, boxes)
            (pairs, num_found, num_real), = slow_jaccard(kept, real, ignored)
            if num_found or num_real:
                ratios.append(pairs / (num_found + num_real - pairs + 1e-6))
        means.append(sum(ratios) / len(ratios))
    assert found == pytest.approx(max(means), abs=1e-12)


def test_pictures_are_paired_by_id(tmp_path):
    straight = evaluate(tmp_path, CASE)
    turned = evaluate(tmp_path, CASE, order=['c', 'a', 'b'])
    assert turned == straight
    with pytest.raises(ValueError, match='1 of 3 pictures .* first b'):
        evaluate(tmp_path, CASE, order=['c', 'a'])


def test_labels_are_the_data_sets(tmp_path):
    metric = CrowdHumanPersonMetric(metric='AP')
    ann_file = write_labels(tmp_path / 'some.odgt', CASE)
    metric.dataset_meta = dict(classes=('person', ), ann_file=ann_file)
    batch = list(samples(CASE))
    metric.process({}, batch)
    scores = metric.evaluate(len(batch))
    assert scores['crowd_human/mAP'] == pytest.approx(0.555)


def test_nothing_is_detected(tmp_path, log):
    evaluate(tmp_path, CASE)
    assert 'Nothing was detected' not in log.text
    blind = {name: (*rest[:2], []) for name, rest in CASE.items()}
    assert evaluate(tmp_path, blind) == dict(mAP=0, mMR=1, recall=0)
    assert evaluate(tmp_path, blind, metric='JI') == dict(JI=0)
    assert 'Nothing was detected' in log.text


def test_corners(tmp_path):
    nobody = dict(c=CASE['c'])
    with pytest.raises(ValueError, match='no person to evaluate'):
        evaluate(tmp_path, nobody)
    # a flat label stays a label and is never found
    flat = dict(
        x=((50, 50), [person([5, 5, 0, 9]),
                      person([10, 10, 20, 20])], [(10, 10, 20, 20,
                                                   .9), (5, 5, 0, 9, .8)]))
    assert evaluate(tmp_path, flat)['recall'] == 0.5
    # an accident of the reference's class list
    stage = without(CASE, 'b', 2)
    stage['b'][1].append(person([85, 0, 10, 20], tag='background'))
    assert evaluate(tmp_path, stage)['mAP'] == pytest.approx(0.69375)


def test_half_an_overlap_is_not_enough():
    one = np.array([[0., 0., 10., 10.]])
    found = cs.match(one * [1, 1, 1, .5], np.ones(1), one, np.zeros((0, 4)))
    assert found.hits.tolist() == [False]
    found = cs.match(one * [1, 1, 1, .51], np.ones(1), one, np.zeros((0, 4)))
    assert found.hits.tolist() == [True]


def test_null_means_not_ignored(tmp_path):
    """In AP, in MR, in JI; as in the data set."""
    plain = evaluate(tmp_path, CASE, metric=['AP', 'MR', 'JI'])
    for extra in (None, {}, dict(ignore=None), dict(ignore=False)):
        size, boxes, detections = CASE['a']
        boxes = [dict(boxes[0], extra=extra), *boxes[1:]]
        case = CASE | dict(a=(size, boxes, detections))
        assert evaluate(tmp_path, case, metric=['AP', 'MR', 'JI']) == plain


def test_four_decades_of_false_positives(tmp_path):
    """MR^-4: no rate below one false positive a picture is reached here."""
    scores = {
        ref: evaluate(tmp_path, CASE, metric='MR', mr_ref=ref)['mMR']
        for ref in ('CALTECH_-2', 'CALTECH_-4')
    }
    theirs = evaluate(
        tmp_path, CASE, CrowdHumanMetric, metric='MR', mr_ref='CALTECH_-4')
    assert scores['CALTECH_-4'] == pytest.approx(theirs['mMR'], abs=5.1e-5)
    assert scores['CALTECH_-4'] != scores['CALTECH_-2']


@pytest.mark.parametrize('name, value', [('eval_mode', 1), ('eval_mode', 2),
                                         ('compare_matching_method', 'VOC')])
def test_what_does_nothing_is_refused(tmp_path, name, value):
    with pytest.raises(ValueError, match=f'{name}={value} is not implem'):
        CrowdHumanPersonMetric(**{name: value})
    with pytest.raises(Exception):  # in mmdet, after all was detected
        evaluate(tmp_path, CASE, CrowdHumanMetric, **{name: value})


def two_kinds():
    """CASE once more, its persons of b being riders."""
    size, boxes, detections = CASE['b']
    return CASE | dict(
        b=(size, [dict(box, tag='rider') for box in boxes], detections))


def test_categories_are_scored_alone(tmp_path):
    case, names = two_kinds(), ('person', 'rider', 'child')
    ann_file = write_labels(tmp_path / 'val.odgt', case)
    metric = CrowdHumanPersonMetric(ann_file, metric=['AP', 'MR', 'JI'])
    metric.dataset_meta = dict(classes=names)
    batch = list(samples(case))
    for sample in batch:
        found = sample['pred_instances']
        found['labels'] = Tensor(
            np.full(len(found['scores'].array), int(sample['img_id'] == 'b')))
    metric.process({}, batch)
    scores = {
        key.removeprefix('crowd_human/'): value
        for key, value in metric.evaluate(len(batch)).items()
    }
    persons = CASE | dict(b=(*CASE['b'][:1], [], []))
    riders = {
        name: (size, boxes if name == 'b' else [
            box for box in boxes
            if box['tag'] == 'mask' or box.get('extra', {}).get('ignore')
        ], found if name == 'b' else [])
        for name, (size, boxes, found) in CASE.items()
    }
    keys = ('mAP', 'mMR', 'recall', 'JI')
    wanted = {}
    for name, alone in (('person', persons), ('rider', riders)):
        own = evaluate(tmp_path, alone, metric=['AP', 'MR', 'JI'])
        wanted |= {f'{key}/{name}': own[key] for key in keys}
    for key in keys:  # no label of a child: left out of the mean
        wanted[key] = (wanted[f'{key}/person'] + wanted[f'{key}/rider']) / 2
    assert scores == pytest.approx(wanted)


def test_nobody_is_noticed_before_the_training(tmp_path):
    ann_file = write_labels(tmp_path / 'val.odgt', dict(c=CASE['c']))
    metric = CrowdHumanPersonMetric()
    with pytest.raises(ValueError, match='val.odgt: no person to evaluate'):
        metric.dataset_meta = dict(classes=('person', ), ann_file=ann_file)


def test_detections_are_written(tmp_path):
    prefix = str(tmp_path / 'found')
    metric = CrowdHumanPersonMetric(format_only=True, outfile_prefix=prefix)
    batch = list(samples(CASE))
    metric.process({}, batch)
    assert metric.evaluate(len(batch)) == {}
    written = json.loads((tmp_path / 'found.json').read_text())
    assert [picture['ID'] for picture in written] == ['a', 'b', 'c']
    box = written[2]['dtboxes'][0]
    assert box == dict(box=[10, 10, 20, 20], score=.99, tag=1)
