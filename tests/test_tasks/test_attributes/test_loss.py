import math

import pytest
import torch

from mmpretrain.models.losses import CrossEntropyLoss
from saip_mm.tasks.attributes import LabelRatioLoss

RATIO = (.5, .25, .5, .1)
LOGITS = torch.tensor([(1, -1, 0, 2), (-.5, .5, 1.5, -2)])
LABELS = torch.tensor([(1., 0, 1, 0), (0, 0, 1, 1)])


def slow_loss(logits, labels, ratio):
    total = 0.
    for row, have in zip(logits.tolist(), labels.tolist()):
        for x, y, r in zip(row, have, ratio):
            if y == -1:
                continue
            weight = math.exp(1 - r) if y > 0.5 else math.exp(r)
            total += weight * (math.log1p(math.exp(x)) - y * x)
    return total / len(logits)


def test_numbers_worked_out_by_hand():
    loss = LabelRatioLoss(RATIO)
    assert loss.weights(LABELS).flatten().tolist() == pytest.approx([
        1.6487212, 1.2840254, 1.6487212, 1.1051710, 1.6487212, 1.2840254,
        1.6487212, 2.4596031
    ])
    assert loss(LOGITS, LABELS).item() == pytest.approx(6.0039883)


def test_as_a_loop_says_and_mmpretrain():
    torch.manual_seed(0)
    for _ in range(50):
        ratio = torch.rand(5).tolist()
        logits, labels = 3 * torch.randn(7, 5), (torch.rand(7, 5) > .6).float()
        ours = LabelRatioLoss(ratio)(logits, labels)
        assert ours.item() == pytest.approx(
            slow_loss(logits, labels, ratio), rel=1e-5)
        theirs = CrossEntropyLoss(
            use_sigmoid=True,
            class_weight=[math.exp(r) for r in ratio],
            pos_weight=[math.exp(1 - 2 * r) for r in ratio])
        theirs = theirs(logits, labels, avg_factor=7)
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)


def test_what_nobody_labelled_has_no_gradient():
    logits = torch.randn(3, 4, requires_grad=True)
    labels = torch.tensor([(1., 0, -1, 1), (-1, -1, -1, -1), (0, 0, 1, -1)])
    loss = LabelRatioLoss(RATIO)(logits, labels)
    assert loss.item() == pytest.approx(
        slow_loss(logits.detach(), labels, RATIO), rel=1e-5)
    loss.backward()
    assert ((logits.grad == 0) == (labels == -1)).all()


def test_extreme_logits_stay_finite_in_half_precision():
    logits = torch.tensor([[60000., -60000.]], dtype=torch.half)
    loss = LabelRatioLoss((0., 1.))(logits, torch.tensor([[0., 1.]]))
    assert loss.dtype == torch.float32 and loss.isfinite()


def test_mean_over_pictures_and_their_own():
    loss = LabelRatioLoss(RATIO)
    each = loss.per_image(LOGITS, LABELS)
    assert loss(LOGITS, LABELS).item() == pytest.approx(each.mean().item())
    assert loss(
        LOGITS, LABELS,
        avg_factor=4).item() == pytest.approx(each.sum().item() / 4)


def test_unweighted_and_unset():
    plain = LabelRatioLoss(weighted=False)
    assert plain.is_ready and plain.weights(LABELS).eq(1).all()
    loss = LabelRatioLoss()
    assert not loss.is_ready
    with pytest.raises(RuntimeError, match='label_ratio is not set: '):
        loss(LOGITS, LABELS)
    loss.label_ratio = [.5] * 26
    with pytest.raises(
            RuntimeError, match='label_ratio has 26 entries, the head has 4'):
        loss(LOGITS, LABELS)
