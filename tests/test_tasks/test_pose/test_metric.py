"""AP and AR on cases worked out by hand, and on three photographs."""
import json
import math

import numpy as np
import pytest

pytest.importorskip('mmpose')

from mmpose.datasets.datasets.utils import parse_pose_metainfo  # noqa: E402

from saip_mm.tasks.pose import WholeBodyDataset  # noqa: E402
from saip_mm.tasks.pose import KeypointMetric, WholeBodyMetric  # noqa: E402
from saip_mm.tasks.pose.annotations import BODY, WHOLE_BODY  # noqa: E402
from .coco_files import REAL, detections, people, write_json  # noqa: E402

KINDS = {
    KeypointMetric: (BODY, 'coco'),
    WholeBodyMetric: (WHOLE_BODY, 'coco_wholebody')
}


def build(kind, path):
    metric = kind(ann_file=str(path))
    metric.dataset_meta = parse_pose_metainfo(
        dict(from_file=f'configs/_base_/datasets/{KINDS[kind][1]}.py'))
    return metric


def places(annotation, kind):
    """Annotated coordinates ``(K, 2)``."""
    values = [v for key in KINDS[kind][0] for v in annotation[key]]
    return np.array(values, dtype=np.float64).reshape(-1, 3)[:, :2]


def result(annotation, keypoints, box_score, scores=1.):
    w, h = annotation['bbox'][2:]
    return dict(
        id=annotation['id'],
        img_id=annotation['image_id'],
        pred_instances=dict(
            keypoints=keypoints[None],
            keypoint_scores=np.broadcast_to(scores,
                                            keypoints.shape[:1])[None]),
        gt_instances=dict(
            bbox_scores=np.array([box_score]),
            bbox_scales=np.array([[1.25 * w, 1.25 * h]])))


def evaluate(metric, results):
    for one in results:
        metric.process([], [one])
    return metric.evaluate(len(results))


def test_one_joint_off_by_a_known_oks(tmp_path):
    """Of two noses one is found, the other has an OKS of 0.72."""
    data = people(images=(3, ))
    for annotation in data['annotations']:
        annotation['keypoints'][5::3] = [0] * 16  # all v but the nose's
    first, second = data['annotations']
    path = write_json(tmp_path / 'persons.json', data)
    metric = build(KeypointMetric, path)
    moved = places(second, KeypointMetric)
    # exp(-d^2 / (2 area (2 sigma)^2)) = 0.72, the nose's sigma is 0.026
    moved[0, 0] += math.sqrt(-2 * math.log(0.72) * second['area'] * 0.052**2)
    scores = evaluate(metric, [
        result(first, places(first, KeypointMetric), 0.9),
        result(second, moved, 0.8),
    ])
    # .50 to .70: both right. .75 to .95: the second is wrong, so precision 1
    # up to recall 1/2, which is 51 of the 101 recalls
    assert scores['coco/AP'] == pytest.approx((1 + 51 / 101) / 2)
    assert scores['coco/AP .5'] == pytest.approx(1)
    assert scores['coco/AP .75'] == pytest.approx(51 / 101)
    assert scores['coco/AR'] == pytest.approx(0.75)
    assert scores['coco/AP (L)'] == -1  # no person of 96^2 pixels


def test_a_wrong_person_costs_by_its_score(tmp_path):
    """The same joints far away: harmless behind all, not in front."""
    data = people(images=(3, ))
    first = data['annotations'][0]
    path = write_json(tmp_path / 'persons.json',
                      dict(data, annotations=[first]))
    right = places(first, KeypointMetric)
    for score, precision in ((0.1, 1.), (0.9, 0.5)):
        wrong = result(dict(first, id=77), right + 500, score)
        scores = evaluate(
            build(KeypointMetric, path), [result(first, right, 0.5), wrong])
        assert scores['coco/AP'] == pytest.approx(precision)
        assert scores['coco/AR'] == pytest.approx(1)


def test_each_part_has_its_own_result(tmp_path):
    """A left hand far away: 112 of 133 landmarks are right, OKS 0.842."""
    data = people(images=(3, ))
    annotation = data['annotations'][0]
    path = write_json(tmp_path / 'persons.json',
                      dict(data, annotations=[annotation]))
    keypoints = places(annotation, WholeBodyMetric)
    keypoints[91:112] += 500
    scores = evaluate(
        build(WholeBodyMetric, path), [result(annotation, keypoints, 1.)])
    # right for the seven thresholds .50 to .80
    assert scores['coco-wholebody/AP'] == pytest.approx(0.7)
    assert scores['coco-wholebody/AR'] == pytest.approx(0.7)
    for part in ('body', 'foot', 'face', 'lefthand', 'righthand'):
        for name in ('AP', 'AR'):
            expected = 0 if part == 'lefthand' else 1
            found = scores[f'coco-wholebody/{part}_{name}']
            assert found == pytest.approx(expected), part


def test_the_file_under_test_is_named_without_ann_file(tmp_path):
    """With a detector's boxes no data set reads the landmarks before."""
    data = people()
    del data['annotations'][1]['foot_kpts']
    dataset = WholeBodyDataset(
        ann_file=write_json(tmp_path / 'persons.json', data),
        bbox_file=write_json(tmp_path / 'found.json', detections(data)),
        data_prefix=dict(img=''),
        test_mode=True)
    metric = WholeBodyMetric()
    with pytest.raises(
            ValueError, match="persons.json has no 'foot_kpts' in .* 31: is"):
        metric.dataset_meta = dataset.metainfo


@pytest.mark.skipif(not REAL.is_dir(), reason='no real photographs')
@pytest.mark.parametrize('kind, file, expected', [
    (KeypointMetric, 'person_keypoints_val2017', {
        'AP': 0.5844943423,
        'AP .5': 1.0,
        'AP .75': 0.5012376238,
        'AP (M)': 0.5,
        'AP (L)': 0.6528052805,
        'AR': 0.65,
        'AR .75': 0.625,
        'AR (M)': 0.5,
        'AR (L)': 0.74
    }),
    (WholeBodyMetric, 'coco_wholebody_val_v1.0', {
        'AP': 0.1475247525,
        'AP .5': 0.4381188119,
        'AP .75': 0.0643564356,
        'AP (M)': 0.3653465347,
        'AP (L)': 0.1046204620,
        'AR': 0.275,
        'AR .5': 0.625,
        'AR .75': 0.25
    }),
])
def test_three_photographs(kind, file, expected):
    """Joints moved by known shares of the box; numbers as mmpose's own."""
    path = REAL / f'annotations/{file}.json'
    annotations = sorted(
        json.loads(path.read_text())['annotations'], key=lambda a: a['id'])
    results = []
    for i, person in enumerate(a for a in annotations if a['num_keypoints']):
        keypoints = places(person, kind)
        k, (w, h) = np.arange(len(keypoints)), person['bbox'][2:]
        shares = np.stack((0.02 * w * (k % 3 - 1), 0.01 * h * (k % 5 - 2)), 1)
        results.append(
            result(person, keypoints + (1 + i % 3) * shares, 0.9 - 0.05 * i,
                   0.5 + 0.04 * (k % 10)))
    assert len(results) == 8
    scores = evaluate(build(kind, path), results)
    prefix = kind.default_prefix
    for name, value in expected.items():
        assert scores[f'{prefix}/{name}'] == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize('kind', KINDS)
def test_nothing_to_evaluate(kind, tmp_path):
    metric = build(kind, write_json(tmp_path / 'persons.json', people()))
    with pytest.raises(ValueError, match='nothing to evaluate'):
        metric.evaluate(0)


def test_a_plain_file_is_no_whole_body_file(tmp_path):
    data = people()
    del data['annotations'][0]['foot_kpts']
    path = write_json(tmp_path / 'persons.json', data)
    with pytest.raises(ValueError, match="persons.json has no 'foot_kpts'"):
        build(WholeBodyMetric, path)
    build(KeypointMetric, path)
