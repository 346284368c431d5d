import math

import numpy as np
import pytest
import torch

from mmpretrain.registry import MODELS
from saip_mm.tasks.reid import BatchHardTripletLoss, batch_hard_triplet


def slow_triplet(features, labels, margin):
    """One anchor a turn, by loops."""
    losses = []
    for i, (f, who) in enumerate(zip(features, labels)):
        far, near = 0., math.inf
        for other, name in zip(features, labels):
            distance = math.sqrt(max(((f - other)**2).sum(), 1e-12))
            if name == who:
                far = max(far, distance)
            else:
                near = min(near, distance)
        gap = far - near
        losses.append(
            math.log1p(math.exp(gap)) if margin is
            None else max(0., gap + margin))
    return float(np.mean(losses))


# f, ids: p = 1, 1, 3.605551, 3.605551; n = 2, 2.236068, 2, 4.472136
POINTS = torch.tensor([[0., 0.], [1., 0.], [0., 2.], [3., 4.]])
WHO = torch.tensor([0, 0, 1, 1])


@pytest.mark.parametrize('margin, expected', [(None, 0.6769400),
                                              (0.3, 0.4763878)])
def test_golden(margin, expected):
    found = batch_hard_triplet(POINTS, WHO, margin)
    assert float(found) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('margin', [None, 0.3])
@pytest.mark.parametrize('seed', range(4))
def test_equals_loops(seed, margin):
    """Persons with unequal numbers of pictures, a lonely one among them."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate(([7], rng.integers(0, 4, 11)))
    features = rng.normal(size=(12, 5))
    found = batch_hard_triplet(
        torch.from_numpy(features), torch.from_numpy(labels), margin)
    assert found.dtype == torch.float64
    assert float(found) == pytest.approx(
        slow_triplet(features, labels, margin), abs=1e-6)


def test_gradient_is_finite_where_pictures_are_equal():
    features = torch.ones(4, 3, requires_grad=True)
    batch_hard_triplet(features, WHO).backward()
    assert features.grad.isfinite().all()


def test_in_float32_under_autocast():
    torch.manual_seed(0)
    features = 30 + torch.randn(8, 64)
    labels = torch.arange(8) // 2
    expected = batch_hard_triplet(features, labels)
    with torch.autocast('cpu', torch.bfloat16):
        assert batch_hard_triplet(features, labels) == expected
    assert batch_hard_triplet(features.half(), labels).dtype == torch.float32


def test_one_person_alone_is_refused():
    with pytest.raises(
            ValueError,
            match='at least 2 identities in a batch, '
            'got 3 pictures of one: take IdentityBatchSampler'):
        batch_hard_triplet(torch.rand(3, 2), torch.tensor([4, 4, 4]))


def test_weight():
    loss = MODELS.build(dict(type='BatchHardTripletLoss', loss_weight=0.5))
    assert isinstance(loss, BatchHardTripletLoss)
    assert float(loss(POINTS, WHO)) == pytest.approx(0.5 * 0.6769400)
