import math

import pytest
import torch

from saip_mm.models.losses import matching_loss


def restate(student, targets, names, target_names, temperature):
    """DINO's cross-entropy, one pair, one image, one prototype at a time."""
    total, pairs = 0., 0
    for v, target_name in enumerate(target_names):
        for u, name in enumerate(names):
            if name == target_name:
                continue
            pairs += 1
            for b in range(student.shape[1]):
                row = [x / temperature for x in student[u, b].tolist()]
                top = max(row)
                log_sum = top + math.log(sum(math.exp(x - top) for x in row))
                total -= sum(p * (x - log_sum) for p, x in zip(
                    targets[v, b].tolist(), row)) / student.shape[1]
    return total / pairs


@pytest.mark.parametrize('target_names', [['anchor'], ['anchor', 'scale_1']])
@pytest.mark.parametrize('batch', [1, 3])
@pytest.mark.parametrize('temperature', [0.1, 1.])
def test_equals_loops_in_float64(target_names, batch, temperature):
    torch.manual_seed(0)
    names = ['anchor', 'scale_1', 'local_1', 'local_2']
    student = torch.rand(4, batch, 7, dtype=torch.float64) * 2 - 1
    targets = torch.rand(
        len(target_names), batch, 7, dtype=torch.float64).softmax(-1)
    same = torch.tensor([[v == u for u in names] for v in target_names])
    loss = matching_loss(student, targets, same, temperature)
    expected = restate(student, targets, names, target_names, temperature)
    assert loss.item() == pytest.approx(expected, rel=2e-6)


def test_gradient_is_softmax_minus_target():
    # one pair: d loss / d logit = (softmax(s / T) - p) / (T B)
    student = torch.tensor([[[0.3, -0.2, 0.1]]], requires_grad=True)
    target = torch.tensor([[[0.2, 0.5, 0.3]]])
    matching_loss(student, target, torch.tensor([[False]]), 0.5).backward()
    expected = ((student.detach() / 0.5).softmax(-1) - target) / 0.5
    torch.testing.assert_close(student.grad, expected)


def test_no_pair_is_an_error():
    logits = torch.zeros(1, 2, 3)
    with pytest.raises(ValueError, match='pair of different views'):
        matching_loss(logits, logits.softmax(-1), torch.tensor([[True]]), 0.1)


def test_is_computed_in_float32_under_autocast():
    torch.manual_seed(0)
    student = torch.randn(2, 3, 5)
    targets = torch.randn(1, 3, 5).softmax(-1)
    same = torch.tensor([[True, False]])
    expected = matching_loss(student, targets, same, 0.1)
    with torch.autocast('cpu', torch.bfloat16):
        loss = matching_loss(student, targets, same, 0.1)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
