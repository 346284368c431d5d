"""AP and AR against COCO's rules, restated in plain loops over float64."""
import math

import numpy as np
import pytest

pytest.importorskip('mmpose')

from mmpose.datasets.datasets.utils import parse_pose_metainfo  # noqa: E402

from saip_mm.tasks.pose import KeypointMetric, WholeBodyMetric  # noqa: E402
from saip_mm.tasks.pose.annotations import WHOLE_BODY  # noqa: E402
from .coco_files import write_json  # noqa: E402

RANGES = dict(all=(0, 1e10), M=(32**2, 96**2), L=(96**2, 1e10))
THRESHOLDS = [0.5 + 0.05 * i for i in range(10)]
RECALLS = [0.01 * i for i in range(101)]
OWN = dict(
    dataset_name='own',
    keypoint_info={i: dict(name=f'joint{i}')
                   for i in range(6)},
    sigmas=[0.079, 0.079, 0.107, 0.107, 0.089, 0.025])

# made up


def random_case(seed, parts):
    """Annotations, and results of which there is at least one."""
    rng = np.random.default_rng(seed)
    while True:
        data = random_persons(rng, parts)
        results = random_results(rng, data, parts)
        if results:
            return data, results


def random_persons(rng, parts):
    """Annotations of some pictures: small to large, crowds, unlabelled."""
    images, annotations = [], []
    for image in range(int(rng.integers(1, 4))):
        images.append(
            dict(id=7 + 3 * image, file_name='a', height=900, width=900))
        for _ in range(int(rng.integers(0, 5))):
            side = float(rng.choice([25, 60, 90, 110, 250]))
            w, h = side * rng.uniform(0.6, 1.2), side * rng.uniform(0.9, 1.5)
            x, y = rng.uniform(0, 500, 2)
            annotation = dict(
                id=len(annotations) + 1,
                image_id=images[-1]['id'],
                category_id=1,
                bbox=[x, y, w, h],
                area=w * h * rng.uniform(0.3, 0.8),
                iscrowd=int(rng.random() < 0.15),
                segmentation=[])
            for key, count in parts.items():
                seen = rng.random(count) < rng.choice([0, 0.7, 1],
                                                      p=[.2, .4, .4])
                places = rng.uniform((x, y), (x + w, y + h), (count, 2))
                annotation[key] = np.column_stack(
                    (places * seen[:, None], 2 * seen)).ravel().tolist()
            # what a whole-body file counts is the body
            annotation['num_keypoints'] = sum(
                v > 0 for v in annotation['keypoints'][2::3])
            annotations.append(annotation)
    return dict(
        images=images,
        categories=[dict(id=1, name='person')],
        annotations=annotations)


def random_results(rng, data, parts):
    """Persons near annotated ones, some twice, and some elsewhere."""
    results = []
    for annotation in data['annotations']:
        x, y, w, h = annotation['bbox']
        landmarks = joined(annotation, parts)
        for _ in range(int(rng.choice([0, 1, 2], p=[.1, .7, .2]))):
            jitter = rng.choice([0.002, 0.02, 0.06, 0.3]) * w
            places = np.where(landmarks[:, 2:] > 0, landmarks[:, :2],
                              [x, y]) + rng.normal(0, jitter,
                                                   (len(landmarks), 2))
            if rng.random() < 0.2:  # far off: a large extent
                places[int(rng.integers(len(places)))] += 200
            results.append(sample(rng, annotation, places, len(results)))
        if rng.random() < 0.4:
            extent = rng.uniform(5, 300)
            places = rng.uniform(0, extent, (len(landmarks), 2)) + (x, y)
            results.append(sample(rng, annotation, places, len(results)))
    return results


def sample(rng, annotation, places, number):
    """As the model hands it on, box and all."""
    x, y, w, h = annotation['bbox']
    scores = rng.uniform(0, 1, len(places))
    if number == 1:
        scores[:] = 0.1  # under the threshold: a person's score of 0
    box = np.array([[x, y, x + w, y + h]])
    return dict(
        id=number,
        img_id=annotation['image_id'],
        category_id=np.array(1),
        pred_instances=dict(
            keypoints=places[None],
            keypoint_scores=scores[None],
            bboxes=box,
            bbox_scores=rng.random(1)),
        gt_instances=dict(
            bboxes=box, bbox_scales=np.array([[1.25 * w, 1.25 * h]])))


def joined(annotation, parts):
    return np.array([v for key in parts for v in annotation[key]],
                    dtype=np.float64).reshape(-1, 3)


# restated


def oks(places, truth, box, area, sigmas):
    """Mean over labelled landmarks; of none, distance from a larger box."""
    labelled = [k for k in range(len(truth)) if truth[k][2] > 0]
    x, y, w, h = box or (0., 0., 0., 0.)
    total = 0.
    for k in labelled or range(len(truth)):
        px, py = places[k]
        if labelled:
            dx, dy = px - truth[k][0], py - truth[k][1]
        else:
            dx = max(0, x - w - px) + max(0, px - (x + 2 * w))
            dy = max(0, y - h - py) + max(0, py - (y + 2 * h))
        total += math.exp(-(dx * dx + dy * dy) / (2 * area *
                                                  (2 * sigmas[k])**2))
    return total / (len(labelled) or len(truth))


def kept(results, sigmas):
    """Scores, and what is left of persons found twice."""
    left = {}
    for result in results:
        found = result['pred_instances']
        good = [s for s in found['keypoint_scores'][0] if s > 0.2]
        score = found['bbox_scores'][0] * (
            sum(good) / len(good) if good else 0.)
        scale = result['gt_instances']['bbox_scales'][0]
        left.setdefault(result['img_id'], []).append(
            (score, found['keypoints'][0], scale[0] * scale[1]))
    for image, persons in left.items():
        persons.sort(key=lambda person: -person[0])
        chosen = []
        for score, places, area in persons:
            if all(
                    oks(places, [(*p, 1) for p in other], None, (area + size) /
                        2, sigmas) <= 0.9 for _, other, size in chosen):
                chosen.append((score, places, area))
        left[image] = chosen
    return left


def match(truths, persons, threshold):
    """For each person, of what was taken: None, 'person' or 'ignored'."""
    free, fates = list(range(len(truths))), []
    for overlaps in persons:
        best, fate = None, None
        for wanted in (False, True):  # ordinary ones first
            for index in free:
                if truths[index]['ignored'] is wanted and overlaps[
                        index] >= threshold and (
                            best is None or overlaps[index] >= overlaps[best]):
                    best, fate = index, 'ignored' if wanted else 'person'
            if best is not None:
                break
        if best is not None and not truths[best]['crowd']:
            free.remove(best)
        fates.append(fate)
    return fates


def average(data, found, keys, cut, sigmas, extent, size):
    """AP and recall of each threshold, in one range of sizes."""
    low, high = RANGES[size]
    precisions, recalls = [], []
    prepared, count = [], 0
    for image in data['images']:
        truths, joints = [], []
        for annotation in data['annotations']:
            if annotation['image_id'] != image['id']:
                continue
            landmarks = joined(annotation, keys)
            ignored = bool(annotation['iscrowd']
                           or not (landmarks[:, 2] > 0).any()
                           or not low <= annotation['area'] <= high)
            count += not ignored
            truths.append(dict(ignored=ignored, crowd=annotation['iscrowd']))
            joints.append((landmarks, annotation['bbox'], annotation['area']))
        persons = found.get(image['id'], [])[:20]
        overlaps = [[oks(p[1][cut], *joint, sigmas) for joint in joints]
                    for p in persons]
        sizes = []
        for _, places, _ in persons:
            x, y = places[extent].T
            sizes.append(low <= (max(x) - min(x)) * (max(y) - min(y)) <= high)
        prepared.append((truths, persons, overlaps, sizes))
    if not count:
        return None
    for threshold in THRESHOLDS:
        events = []
        for truths, persons, overlaps, sizes in prepared:
            fates = match(truths, overlaps, threshold)
            for person, fate, inside in zip(persons, fates, sizes):
                if fate == 'person' or (fate is None and inside):
                    events.append((person[0], fate == 'person'))
        events.sort(key=lambda event: -event[0])
        curve, right = [], 0
        for number, (_, is_right) in enumerate(events, 1):
            right += is_right
            curve.append((right / count, right / number))
        precisions.append(
            sum(
                max((p for r, p in curve if r >= recall - 1e-12), default=0.)
                for recall in RECALLS) / 101)
        recalls.append(right / count)
    return precisions, recalls


def restated(data, found, keys, cut, sigmas, extent=slice(None)):
    stats = {}
    for size in RANGES:
        both = average(data, found, keys, cut, sigmas, extent, size)
        for name, values in zip(('AP', 'AR'), both or ([-1] * 10, [-1] * 10)):
            mean = sum(values) / 10
            if size == 'all':
                stats.update({
                    name: mean,
                    f'{name} .5': values[0],
                    f'{name} .75': values[5]
                })
            else:
                stats[f'{name} ({size})'] = mean
    return stats


def build(kind, metainfo, path):
    metric = kind(ann_file=path)
    metric.dataset_meta = parse_pose_metainfo(
        dict(metainfo, skeleton_info={}, joint_weights=[1.] *
             6) if metainfo is OWN else metainfo)
    return metric


def evaluate(metric, results):
    for result in results:
        metric.process([], [result])
    return metric.evaluate(len(results))


COCO = dict(from_file='configs/_base_/datasets/coco.py')
WHOLE = dict(from_file='configs/_base_/datasets/coco_wholebody.py')


@pytest.mark.parametrize('seed', range(100))
@pytest.mark.parametrize('metainfo, count', [(COCO, 17), (OWN, 6)])
def test_body(metainfo, count, seed, tmp_path):
    parts = dict(keypoints=count)
    data, results = random_case(seed, parts)
    metric = build(KeypointMetric, metainfo,
                   write_json(tmp_path / 'persons.json', data))
    sigmas = metric.dataset_meta['sigmas'].astype(np.float64)
    expected = restated(data, kept(results, sigmas), parts, slice(None),
                        sigmas)
    scores = evaluate(metric, results)
    assert len(scores) == len(expected) == 10
    for name, value in expected.items():
        assert scores[f'coco/{name}'] == pytest.approx(value, abs=1e-9), name


@pytest.mark.parametrize('seed', range(25))
def test_whole_body(seed, tmp_path):
    data, results = random_case(1000 + seed, WHOLE_BODY)
    metric = build(WholeBodyMetric, WHOLE,
                   write_json(tmp_path / 'persons.json', data))
    sigmas = metric.dataset_meta['sigmas'].astype(np.float64)
    found, body = kept(results, sigmas), slice(0, 17)
    expected = restated(data, found, WHOLE_BODY, slice(None), sigmas, body)
    start = 0
    for key, count in WHOLE_BODY.items():
        cut, start = slice(start, start + count), start + count
        stats = restated(data, found, [key], cut, sigmas[cut], body)
        name = 'body' if key == 'keypoints' else key.split('_')[0]
        expected |= {f'{name}_{stat}': stats[stat] for stat in ('AP', 'AR')}
    scores = evaluate(metric, results)
    assert len(scores) == len(expected) == 20
    for name, value in expected.items():
        found = scores[f'coco-wholebody/{name}']
        assert found == pytest.approx(value, abs=1e-9), name


@pytest.mark.parametrize('seed', range(30))
def test_body_by_the_official_package(seed, tmp_path):
    """The file of results that is written, handed to pycocotools."""
    coco = pytest.importorskip('pycocotools.coco')
    from pycocotools.cocoeval import COCOeval
    data, results = random_case(2000 + seed, dict(keypoints=17))
    path = write_json(tmp_path / 'persons.json', data)
    metric = build(KeypointMetric, COCO, path)
    metric.outfile_prefix = str(tmp_path / 'found')
    scores = evaluate(metric, results)
    truth = coco.COCO(path)
    official = COCOeval(truth,
                        truth.loadRes(str(tmp_path / 'found.keypoints.json')),
                        'keypoints')
    official.evaluate()
    official.accumulate()
    official.summarize()
    names = ('AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)', 'AR', 'AR .5',
             'AR .75', 'AR (M)', 'AR (L)')
    for name, value in zip(names, official.stats):
        assert scores[f'coco/{name}'] == pytest.approx(value, abs=1e-9), name


def test_a_person_found_is_as_large_as_its_joints(tmp_path):
    """A false alarm in a large box, its joints close together: not (L)."""
    rng = np.random.default_rng(0)
    data, _ = random_case(0, dict(keypoints=6))
    person = dict(
        data['annotations'][0], bbox=[100, 100, 150, 200], iscrowd=0, area=2e4)
    places = rng.uniform((100, 100), (250, 300), (6, 2))
    person['keypoints'] = np.column_stack((places, [2] * 6)).ravel().tolist()
    data['annotations'] = [person]
    data['images'] = [
        i for i in data['images'] if i['id'] == person['image_id']
    ]
    metric = build(KeypointMetric, OWN,
                   write_json(tmp_path / 'persons.json', data))
    right = sample(rng, person, places, 0)
    wrong = sample(rng, person, 600 + places / 10, 1)
    for result, score in ((right, 0.5), (wrong, 0.9)):
        result['pred_instances']['bbox_scores'][:] = score
        result['pred_instances']['keypoint_scores'][:] = 1
    scores = evaluate(metric, [right, wrong])
    assert scores['coco/AP'] == pytest.approx(0.5)
    assert scores['coco/AP (L)'] == pytest.approx(1)
    assert scores['coco/AR (L)'] == pytest.approx(1)
    assert scores['coco/AP (M)'] == -1
