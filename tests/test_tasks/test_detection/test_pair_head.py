import pytest
import torch

pytest.importorskip('mmdet')

from saip_mm.tasks.detection import PairBBoxHead  # noqa: E402

# two boxes of proposal 0 on each other, a third of proposal 1 over them, and
# one far away
BOXES = torch.tensor([[0., 0., 10., 10., 0.], [1., 0., 10., 10., 0.],
                      [0., 1., 10., 10., 1.], [50., 50., 60., 60., 1.]])


def test_a_pair_stays_and_a_neighbour_goes():
    boxes, scores = PairBBoxHead.set_nms(BOXES, torch.tensor([.7, .9, .8, .6]),
                                         0.01, 0.5)
    assert scores.tolist() == pytest.approx([.9, .7, .6])
    assert boxes.tolist() == BOXES[[1, 0, 3]].tolist()


def test_the_best_are_kept():
    _, scores = PairBBoxHead.set_nms(BOXES, torch.tensor([.1, .2, .005, .6]),
                                     0.01, 0.5, 2)
    assert scores.tolist() == pytest.approx([.6, .2])


def test_nothing_is_left():
    boxes, scores = PairBBoxHead.set_nms(BOXES, torch.zeros(4), 0.01, 0.5, 2)
    assert boxes.shape == (0, 5) and scores.shape == (0, )
