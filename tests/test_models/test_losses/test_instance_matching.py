import math

import pytest
import torch
from torch.nn.functional import normalize

from saip_mm.models.losses import instance_matching_loss


def restate(student, keys, same, temperature, first):
    """One pair, one person, one key at a time."""
    total, pairs = 0., 0
    for v, u in (~same).nonzero().tolist():
        pairs += 1
        for b, code in enumerate(student[u].tolist()):
            row = [
                sum(x * y for x, y in zip(code, key)) / temperature
                for key in keys[v].tolist()
            ]
            top = max(row)
            log_sum = top + math.log(sum(math.exp(x - top) for x in row))
            total += (log_sum - row[first + b]) / len(student[u])
    return total / pairs


@pytest.mark.parametrize('target_names', [['anchor'], ['anchor', 'scale_1']])
@pytest.mark.parametrize('persons, first', [(3, 0), (6, 3)])
@pytest.mark.parametrize('temperature', [0.1, 1.])
def test_equals_loops_in_float64(target_names, persons, first, temperature):
    torch.manual_seed(0)
    names = ['anchor', 'scale_1', 'local_1']
    student = normalize(torch.randn(3, 3, 5).double(), dim=-1)
    keys = normalize(
        torch.randn(len(target_names), persons, 5).double(), dim=-1)
    same = torch.tensor([[v == u for u in names] for v in target_names])
    loss = instance_matching_loss(student, keys, same, temperature, first)
    expected = restate(student, keys, same, temperature, first)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_gradient_is_softmax_minus_own_key():
    # one pair, one person: d loss / d code = sum_m (p_m - own_m) key_m / T
    code = torch.tensor([[[0.6, 0.8]]], requires_grad=True)
    keys = torch.tensor([[[1., 0.], [0., 1.]]])
    instance_matching_loss(code, keys, torch.tensor([[False]]), 0.5).backward()
    share = (code.detach() / 0.5).softmax(-1)[0, 0]
    expected = (share - torch.tensor([1., 0.])) / 0.5
    torch.testing.assert_close(code.grad[0, 0], expected)


def test_no_pair_is_an_error():
    codes = torch.ones(1, 2, 3)
    with pytest.raises(ValueError, match='pair of different views'):
        instance_matching_loss(codes, codes, torch.tensor([[True]]), 0.1)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_is_computed_in_float32_under_autocast(dtype):
    torch.manual_seed(0)
    student, keys = (
        normalize(torch.randn(n, 3, 5), dim=-1).to(dtype) for n in (2, 1))
    same = torch.tensor([[True, False]])
    expected = instance_matching_loss(student.double(), keys.double(), same,
                                      0.1)
    with torch.autocast('cpu', torch.bfloat16):
        loss = instance_matching_loss(student, keys, same, 0.1)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
