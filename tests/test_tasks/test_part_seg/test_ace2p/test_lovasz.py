import numpy as np
import pytest
import torch

pytest.importorskip('mmseg')

from saip_mm.tasks.part_seg import ace2p  # noqa: E402

IGNORED = 255


def jaccard_loss(wrong, labelled):
    """1 - IoU of a class, if these pixels and no others are wrong."""
    missed, added = wrong & labelled, wrong - labelled
    return 1 - len(labelled - missed) / len(labelled | added)


def slow_lovasz(probabilities, label):
    """Float64, by sets of pixels; value and derivative by probability."""
    classes = probabilities.shape[1]
    flat = np.moveaxis(probabilities, 1, -1).reshape(-1, classes).astype(float)
    label = label.ravel()
    pixels = [i for i in range(len(label)) if label[i] != IGNORED]
    there = sorted({int(label[i]) for i in pixels})
    total, slopes = 0., np.zeros_like(flat)
    for k in there:
        labelled = {i for i in pixels if label[i] == k}
        error = {
            i: 1 - flat[i, k] if i in labelled else flat[i, k]
            for i in pixels
        }
        wrong, before = set(), 0.
        for i in sorted(pixels, key=lambda i: -error[i]):
            wrong.add(i)
            now = jaccard_loss(wrong, labelled)
            total += error[i] * (now - before) / len(there)
            sign = -1 if i in labelled else 1
            slopes[i, k] = sign * (now - before) / len(there)
            before = now
    return total, slopes


def random_case(size, classes, seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(2, classes, *size)) * 2
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    label = rng.integers(0, classes, (2, *size))
    label[rng.random(label.shape) < 0.2] = IGNORED
    return probabilities.astype(np.float32), label


@pytest.mark.parametrize('size', [(1, 3), (5, 4), (8, 7)])
@pytest.mark.parametrize('classes', [2, 5, 20])
def test_value_and_gradient_as_restated(size, classes):
    probabilities, label = random_case(size, classes, classes + size[0])
    given = torch.from_numpy(probabilities).requires_grad_()
    found = ace2p.lovasz_softmax(given, torch.from_numpy(label))
    value, slopes = slow_lovasz(probabilities, label)
    assert found.item() == pytest.approx(value, rel=1e-5)
    found.backward()
    own = given.grad.movedim(1, -1).reshape(-1, classes).numpy()
    np.testing.assert_allclose(own, slopes, atol=1e-6)


def test_of_decisions_it_is_one_minus_the_overlap():
    rng = np.random.default_rng(0)
    label, found = rng.integers(0, 4, (2, 1, 6, 6))
    overlaps = [((label == k) & (found == k)).sum() /
                ((label == k) | (found == k)).sum() for k in range(4)]
    decided = np.moveaxis(np.eye(4, dtype=np.float32)[found], -1, 1)
    loss = ace2p.lovasz_softmax(
        torch.from_numpy(decided.copy()), torch.from_numpy(label))
    assert loss.item() == pytest.approx(1 - np.mean(overlaps))


def test_classes_that_are_not_labelled_do_not_count():
    probabilities = torch.tensor([0.6, 0.1, 0.3]).view(1, 3, 1, 1)
    loss = ace2p.lovasz_softmax(probabilities, torch.tensor([[[0]]]))
    assert loss.item() == pytest.approx(0.4)


def test_no_pixel():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    loss = ace2p.LovaszSoftmaxLoss()(logits, torch.full((1, 2, 2), IGNORED))
    loss.backward()
    assert loss == 0 and (logits.grad == 0).all()


def test_half_precision_is_added_up_in_single():
    logits = torch.randn(1, 3, 8, 8).half()
    label = torch.randint(0, 3, (1, 8, 8))
    loss = ace2p.LovaszSoftmaxLoss(loss_weight=0.5)
    assert loss(logits, label).dtype == torch.float32
    assert loss(logits, label) == loss(logits.float(), label)
