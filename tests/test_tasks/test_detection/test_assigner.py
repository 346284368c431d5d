import pytest
import torch
from mmengine.structures import InstanceData

pytest.importorskip('mmdet')

from mmdet.models.task_modules.assigners import \
    MultiInstanceAssigner  # noqa: E402

from saip_mm.tasks.detection import FewBoxesAssigner  # noqa: E402

KWARGS = dict(
    pos_iou_thr=0.5,
    neg_iou_thr=0.5,
    min_pos_iou=0.3,
    ignore_iof_thr=-1,
    # found whatever default scope the tests before left
    iou_calculator=dict(type='mmdet.BboxOverlaps2D'))
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
