import numpy as np
import pytest
import torch

pytest.importorskip('mmseg')

from saip_mm.tasks.part_seg import ace2p  # noqa: E402

IGNORED = 255


def test_worked_by_hand():
    """Three classes, labelled 0; the average prefers class 1.

    After one average halves are mixed: (0.5 * 0 + 0.5, 0.5 * 2, 0.5 * 0) =
    (0.5, 1, 0), whose exponentials 1.6487, 2.7183 and 1 add up to 5.3670.
    After three the average has three quarters: (0.25, 1.5, 0): 1.2840,
    4.4817, 1, together 6.7657.
    """
    logits = torch.tensor([0., 2., 0.]).view(1, 3, 1, 1)
    label = torch.tensor([[[0]]])
    for count, wanted in ((1, (.30719, .50649, .18632)), (3, (.18978, .66242,
                                                              .14780))):
        found = ace2p.refine(logits, label, count).flatten().tolist()
        assert found == pytest.approx(wanted, abs=1e-5)
    # without any average it is the label that counts: e, 1, 1
    found = ace2p.refine(logits, label, 0).flatten().tolist()
    assert found == pytest.approx((.57612, .21194, .21194), abs=1e-5)


@pytest.mark.parametrize('count', [1, 2, 3])
def test_as_restated(count):
    rng = np.random.default_rng(count)
    logits = rng.normal(size=(2, 4, 3, 5)) * 3
    label = rng.integers(0, 4, (2, 3, 5))
    label[0, 0] = IGNORED
    wanted = np.empty_like(logits)
    for b, y, x in np.ndindex(label.shape):
        mixed = [
            count / (count + 1) * logits[b, k, y, x] + (label[b, y, x] == k) /
            (count + 1) for k in range(4)
        ]
        wanted[b, :, y, x] = np.exp(mixed) / np.exp(mixed).sum()
    found = ace2p.refine(
        torch.from_numpy(logits).float(), torch.from_numpy(label), count)
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-6)


def test_divergence_as_restated():
    rng = np.random.default_rng(0)
    logits, other = rng.normal(size=(2, 2, 4, 3, 5))
    predicted, target = (
        np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in (logits, other))
    there = rng.random((2, 3, 5)) < 0.7
    each = (target * (np.log(target) - np.log(predicted))).sum(1)
    found = ace2p.divergence(
        torch.from_numpy(logits).float(), torch.from_numpy(target),
        torch.from_numpy(there))
    assert found.item() == pytest.approx(each[there].mean(), rel=1e-5)


def test_divergence_corners():
    logits = torch.randn(1, 3, 2, 2)
    there = torch.ones(1, 2, 2, dtype=torch.bool)
    assert abs(ace2p.divergence(logits, logits.softmax(1),
                                there).item()) < 1e-6
    assert ace2p.divergence(logits, torch.rand(1, 3, 2, 2), ~there) == 0
    # of a target that is sure of one class it is the cross entropy
    label = torch.randint(0, 3, (1, 2, 2))
    sure = torch.nn.functional.one_hot(label, 3).movedim(3, 1)
    loss = ace2p.RefinableCrossEntropy(loss_weight=0.5)
    assert loss(logits, label,
                sure).item() == pytest.approx(loss(logits, label).item())


def test_cross_entropy_leaves_out_what_is_ignored():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    label = torch.tensor([[[0, 2], [IGNORED, IGNORED]]])
    loss = ace2p.RefinableCrossEntropy(loss_weight=0.5)
    wanted = torch.nn.functional.cross_entropy(logits[:, :, 0], label[:, 0])
    assert loss(logits, label).item() == pytest.approx(0.5 * wanted.item())
    none = loss(logits, torch.full_like(label, IGNORED))
    none.backward()
    assert none == 0 and (logits.grad == 0).all()
