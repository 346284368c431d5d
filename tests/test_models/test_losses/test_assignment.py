import math

import pytest
import torch

from saip_mm.models.losses import balanced_assignment


def restate(rows, temperature, iterations):
    """Sinkhorn-Knopp on one view, an entry at a time, in float64."""
    share = [[math.exp(x / temperature) for x in row] for row in rows]
    share = [[x / sum(row) for x in row] for row in share]
    for _ in range(iterations):
        for k in range(len(share[0])):
            column = sum(row[k] for row in share)
            for row in share:
                row[k] /= column
        for row in share:
            total = sum(row)
            row[:] = [x / total for x in row]
    return share


@pytest.mark.parametrize('iterations', [1, 3])
@pytest.mark.parametrize('temperature', [0.05, 1.])
def test_equals_loops_in_float64(temperature, iterations):
    torch.manual_seed(0)
    logits = torch.rand(2, 5, 7) * 2 - 1
    out = balanced_assignment(logits, temperature, iterations)
    for view, answer in zip(logits.tolist(), out.double()):
        expected = torch.tensor(restate(view, temperature, iterations))
        torch.testing.assert_close(
            answer, expected.double(), atol=1e-6, rtol=1e-4)


def test_one_answer_for_all_is_shared_out():
    # every image is nearest to prototype 0: a softmax gives it to all
    torch.manual_seed(0)
    logits = torch.randn(1, 8, 8) * 0.05
    logits[..., 0] += 0.8
    assert (logits[0].argmax(-1) == 0).all()
    out = balanced_assignment(logits, 0.02, 50)
    assert len(out[0].argmax(-1).unique()) > 4
    torch.testing.assert_close(out.sum(-1), torch.ones(1, 8))


def test_far_prototypes_do_no_harm():
    # exp underflows: such a column is all zeros
    logits = torch.tensor([[[1., -1.], [1., -1.]]])
    out = balanced_assignment(logits, 0.001)
    torch.testing.assert_close(out, torch.tensor([[[1., 0.], [1., 0.]]]))
