from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

pytest.importorskip('mmdet')

from mmdet.models.task_modules.assigners import MaxIoUAssigner  # noqa: E402
from mmdet.models.task_modules.assigners import \
    MultiInstanceAssigner  # noqa: E402
from mmdet.registry import TASK_UTILS  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402

from saip_mm.tasks.detection import FewBoxesAssigner  # noqa: E402
from saip_mm.tasks.detection import PersonFirstAssigner  # noqa: E402

# found whatever default scope the tests before left
CALCULATOR = dict(type='mmdet.BboxOverlaps2D')
KWARGS = dict(
    pos_iou_thr=0.5,
    neg_iou_thr=0.5,
    min_pos_iou=0.3,
    ignore_iof_thr=-1,
    iou_calculator=CALCULATOR)
BOX = [10., 10., 30., 50.]
FAR = [60., 60., 80., 90.]
PROPOSALS = [[11., 10., 30., 50.], [0., 0., 5., 5.], [58., 60., 80., 90.]]


def assign(cls, boxes, ignored, num_proposals):
    proposals = torch.tensor(PROPOSALS[:num_proposals])
    return cls(**KWARGS).assign(
        InstanceData(priors=proposals),
        InstanceData(
            bboxes=torch.tensor(boxes).reshape(-1, 4),
            labels=torch.zeros(len(boxes), dtype=torch.long)),
        InstanceData(bboxes=torch.tensor(ignored).reshape(-1, 4)))


@pytest.mark.parametrize('num_proposals', [2, 3])  # both parities
def test_one_person(num_proposals):
    result = assign(FewBoxesAssigner, [BOX], [], num_proposals)
    rows = num_proposals + 1
    for part in (result.labels, result.gt_inds, result.max_overlaps):
        assert part.shape == (rows, 2)
    # the person for the near proposal and for its own box, once each
    wanted = [[1, 0], [0, 0], [0, 0]][:num_proposals] + [[1, 0]]
    assert result.labels.tolist() == wanted
    assert (result.gt_inds == 0).all()  # in range for look-ups


@pytest.mark.parametrize('num_proposals', [2, 3])
def test_one_ignored_region(num_proposals):
    result = assign(FewBoxesAssigner, [], [BOX], num_proposals)
    wanted = [[-1, 0], [0, 0], [0, 0]][:num_proposals] + [[-1, 0]]
    assert result.labels.tolist() == wanted


@pytest.mark.parametrize('num_proposals', [2, 3])
def test_nobody(num_proposals):
    result = assign(FewBoxesAssigner, [], [], num_proposals)
    assert result.labels.tolist() == [[0, 0]] * num_proposals
    assert (result.gt_inds == 0).all() and result.num_gts == 0


@pytest.mark.parametrize('boxes, ignored', [([BOX, FAR], []), ([BOX], [FAR]),
                                            ([BOX, FAR], [FAR])])
def test_enough_boxes_are_left_to_the_parent(boxes, ignored):
    ours = assign(FewBoxesAssigner, boxes, ignored, 3)
    theirs = assign(MultiInstanceAssigner, boxes, ignored, 3)
    for part in ('labels', 'gt_inds', 'max_overlaps'):
        assert torch.equal(getattr(ours, part), getattr(theirs, part))


def test_the_parent_is_wrong_with_one_box():
    """If this fails, the subclass may go."""
    with pytest.raises(RuntimeError, match='is invalid for input of size'):
        assign(MultiInstanceAssigner, [BOX], [], 2)
    assert assign(MultiInstanceAssigner, [BOX], [], 3).labels.shape == (2, 2)


# Right values: CrowdDet's rules in plain loops


def random_scene(seed, num_priors=60):
    """Priors near persons, near ignored regions and anywhere; integers."""
    rng = np.random.default_rng(seed)

    def boxes(number):
        near = rng.integers(0, 90, (number, 2))
        return np.concatenate([near, near + rng.integers(4, 60, (number, 2))],
                              1).astype(np.float64)

    persons = boxes(rng.integers(0, 6))
    ignored = boxes(rng.integers(0, 4))
    every = np.concatenate([persons, ignored, boxes(3)])
    priors = every[rng.integers(0, len(every), num_priors)]
    shift = rng.integers(-8, 9, (num_priors, 4))
    far = rng.random((num_priors, 1)) < 0.3
    priors = np.where(far, boxes(num_priors), priors + shift)
    priors[:, 2:] = np.maximum(priors[:, 2:], priors[:, :2] + 1)
    return priors, persons, ignored


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def inter(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def iou(one, other):
    both = inter(one, other)
    return both / (area(one) + area(other) - both)


def slow_persons_first(priors, persons, ignored, positive, negative, minimum,
                       low_quality, share):
    """Numbers of persons from 1 on, 0 background, -1 nothing."""
    assigned = []
    for prior in priors:
        values = [iou(prior, person) for person in persons]
        best = max(values, default=0.)
        if best >= positive:
            assigned.append(values.index(best) + 1)
        else:
            assigned.append(0 if best < negative else -1)
    for number, person in enumerate(persons, 1) if low_quality else ():
        values = [iou(prior, person) for prior in priors]
        for index, value in enumerate(values):
            if value == max(values) >= minimum:
                assigned[index] = number
    for index, prior in enumerate(priors):
        inside = [inter(prior, region) / area(prior) for region in ignored]
        if (share >= 0 and assigned[index] == 0
                and max(inside, default=-1.) >= share):
            assigned[index] = -1
    return assigned


def instances(boxes, **kwargs):
    return InstanceData(bboxes=torch.as_tensor(boxes).reshape(-1, 4), **kwargs)


def run(assigner, priors, persons, ignored):
    return assigner.assign(
        InstanceData(priors=torch.as_tensor(priors).reshape(-1, 4)),
        instances(persons, labels=torch.zeros(len(persons), dtype=torch.long)),
        instances(ignored))


RPN = dict(pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3)
RCNN = dict(
    pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.5, match_low_quality=False)


@pytest.mark.parametrize('stage', [RPN, RCNN], ids=['rpn', 'rcnn'])
@pytest.mark.parametrize('share', [0.5, -1])
def test_persons_first_restated(stage, share):
    assigner = PersonFirstAssigner(
        **stage, ignore_iof_thr=share, iou_calculator=CALCULATOR)
    seen = set()
    for seed in range(250):
        scene = random_scene(seed)
        wanted = slow_persons_first(*scene, stage['pos_iou_thr'],
                                    stage['neg_iou_thr'], stage['min_pos_iou'],
                                    stage.get('match_low_quality',
                                              True), share)
        result = run(assigner, *scene)
        assert result.gt_inds.tolist() == wanted, seed
        labels = [0 if number > 0 else -1 for number in wanted]
        assert result.labels.tolist() == labels
        seen.update(np.sign(wanted))
    assert seen == {-1, 0, 1} or (seen == {0, 1} and share < 0)


def slow_pairs(priors, persons, ignored, best=2):
    """CrowdDet's second stage: labels, and the persons of label 1."""
    rows = []
    for prior in [*priors, *persons, *ignored]:
        values = [iou(prior, person) for person in persons]
        order = sorted(range(len(values)), key=lambda i: -values[i])
        inside = sorted(
            (inter(prior, region) / area(prior) for region in ignored),
            reverse=True)
        row = []
        for k in range(best):
            overlap = values[order[k]] if k < len(order) else 0.
            share = inside[k] if k < len(inside) else 0.
            if overlap >= 0.5:
                row.append((1, overlap))
            else:  # a region it lies in by half is no background
                row.append((-1 if share >= 0.5 else 0, max(overlap, share)))
        rows.append(row)
    return rows


def test_pairs_restated():
    assigner = FewBoxesAssigner(**KWARGS)
    labels = set()
    for seed in range(500):
        priors, persons, ignored = random_scene(seed, 20)
        wanted = slow_pairs(priors, persons, ignored)
        result = run(assigner, priors, persons, ignored)
        assert result.labels.tolist() == [[label for label, _ in row]
                                          for row in wanted], seed
        overlaps = [[overlap for _, overlap in row] for row in wanted]
        np.testing.assert_allclose(result.max_overlaps, overlaps, atol=1e-12)
        rows = np.concatenate([priors, persons, ignored])
        for row, own, found in zip(rows, wanted, result.gt_inds.tolist()):
            for (label, overlap), index in zip(own, found):
                labels.add(label)
                if label == 1:
                    assert iou(row, persons[index]) == pytest.approx(overlap)
            if own[1][0] == 1:
                assert found[0] != found[1]
    assert labels == {-1, 0, 1}


def test_a_crowd_with_a_category_becomes_no_person():
    """COCO's crowds have the label of their category, not -1."""
    crowd = instances([FAR], labels=torch.zeros(1, dtype=torch.long))
    person = instances([BOX], labels=torch.zeros(1, dtype=torch.long))
    priors = InstanceData(priors=torch.tensor(PROPOSALS))
    result = FewBoxesAssigner(**KWARGS).assign(priors, person, crowd)
    assert result.labels[2].tolist() == [-1, 0]
    parent = MultiInstanceAssigner(**KWARGS).assign(priors, person, crowd)
    assert parent.labels[2].tolist() == [1, 0]  # if not, the line may go


CONFIGS = Path(__file__).parents[3] / 'configs/detection/crowdhuman'
PERSON, REGION = [50., 50., 150., 150.], [25., 25., 175., 175.]


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('*.py')), ids=str)
@pytest.mark.parametrize('stage', ['rpn', 'rcnn'])
def test_a_person_in_an_ignored_region(path, stage):
    """By the shipped configs, both stages of both detectors."""
    register_all_modules(init_default_scope=False)
    model = Config.fromfile(path).model
    cfg = model.train_cfg[stage].assigner
    with DefaultScope.overwrite_default_scope('mmdet'):
        assigner = TASK_UTILS.build(cfg)
    near = [52., 50., 150., 150.]  # of the person
    far = [200., 200., 260., 300.]
    edge = [20., 20., 44., 68.]  # mostly in the region, off the person
    result = run(assigner, torch.tensor([PERSON, near, far, edge]),
                 torch.tensor([PERSON]), torch.tensor([REGION]))
    if result.labels.ndim == 2:  # pairs: 1 is a person
        found = result.labels[:4, 0].tolist()
    else:
        found = result.gt_inds.tolist()
    ignores = not (stage == 'rpn' and model.type == 'CrowdDet')
    assert found == [1, 1, 0, -1 if ignores else 0]


def test_background_must_be_possible():
    for wrong in ((0.3, 0.7), [0.3, 0.7], 0, -1):
        with pytest.raises(ValueError, match='no background.*give 0.3'):
            PersonFirstAssigner(
                0.7, neg_iou_thr=wrong, iou_calculator=CALCULATOR)
    for right in ((0., 0.3), 0.3):
        assigner = PersonFirstAssigner(
            0.7, neg_iou_thr=right, iou_calculator=CALCULATOR)
        assert assigner.neg_iou_thr == 0.3


def test_mmdets_assigner_voids_the_person():
    """If this fails, the subclass may go."""
    theirs = MaxIoUAssigner(
        **RCNN, ignore_iof_thr=0.5, iou_calculator=CALCULATOR)
    scene = (torch.tensor([PERSON]), ) * 2 + (torch.tensor([REGION]), )
    assert run(theirs, *scene).gt_inds.tolist() == [-1]
