import pytest
import torch
import torch.nn.functional as F

from saip_mm.models.losses import (matching_loss, prototype_matching,
                                   prototype_matching_loss)

SAME = torch.tensor([[True, False, False], [False, True, False]])
VIEWS, BATCH, DIMS, PROTOTYPES = 3, 4, 5, 150


def inputs(dtype=torch.float64):
    torch.manual_seed(0)
    student = F.normalize(torch.randn(VIEWS, BATCH, DIMS, dtype=dtype), dim=-1)
    weight = torch.randn(PROTOTYPES, DIMS, dtype=dtype)
    targets = torch.randn(len(SAME), BATCH, PROTOTYPES, dtype=dtype)
    return (student.requires_grad_(), weight.requires_grad_(),
            (3 * targets).softmax(-1))


def by_logits(student, weight, targets, temperature):
    logits = F.linear(student, weight) / weight.norm(dim=1)
    return matching_loss(logits, targets, SAME, temperature)


def gradients(loss, student, weight, targets, *args):
    out = loss(student, weight, targets, *args)
    return (out, *torch.autograd.grad(2 * out, (student, weight)))


@pytest.fixture(params=[1, 900, 10**6])
def part(request, monkeypatch):
    """The 64 prototypes at least, 75 or all at a time."""
    monkeypatch.setattr(prototype_matching, 'CPU_LOGITS', request.param)


@pytest.mark.parametrize('temperature', [0.1, 1.])
def test_equals_the_loss_of_all_logits(part, temperature):
    args = (*inputs(torch.float32), temperature)
    ours = gradients(lambda *a: prototype_matching_loss(*a[:3], SAME, a[3]),
                     *args)
    for mine, other in zip(ours, gradients(by_logits, *args)):
        torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-4)


def test_gradcheck(part):
    student, weight, targets = inputs()

    def loss(student, weight):
        return prototype_matching_loss(student, weight, targets, SAME, 0.5)

    assert torch.autograd.gradcheck(loss, (student, weight))


def test_frozen_prototypes_get_no_gradient():
    student, weight, targets = inputs(torch.float32)
    weight = weight.detach()
    prototype_matching_loss(student, weight, targets, SAME, 0.1).backward()
    assert weight.grad is None and student.grad is not None


def test_under_autocast():
    student, weight, targets = inputs(torch.float32)
    with torch.autocast('cpu', torch.bfloat16):
        loss = prototype_matching_loss(student, weight, targets, SAME, 0.1)
        logits = F.linear(student, weight) / weight.norm(dim=1)
    expected = matching_loss(logits, targets, SAME, 0.1)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-4)
    for mine, other in zip(
            torch.autograd.grad(loss, (student, weight)),
            torch.autograd.grad(expected, (student, weight))):
        assert mine.dtype == torch.float32
        # bfloat16 has 8 bits
        torch.testing.assert_close(mine, other, atol=1e-3, rtol=3e-2)


def test_no_pair_is_an_error():
    student, weight, targets = inputs()
    with pytest.raises(ValueError, match='pair of different views'):
        prototype_matching_loss(student, weight, targets,
                                torch.ones_like(SAME), 0.1)
