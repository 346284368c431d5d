import math

import pytest
import torch

from saip_mm.models.losses import search_loss


@pytest.mark.parametrize('kind', ['mse', 'bce'])
def test_equals_loops_in_float64(kind):
    torch.manual_seed(0)
    logits = torch.randn(2, 5, dtype=torch.float64) * 3
    target = torch.rand(2, 5, dtype=torch.float64)
    total = 0.
    for x, m in zip(logits.flatten().tolist(), target.flatten().tolist()):
        p = 1 / (1 + math.exp(-x))
        if kind == 'mse':
            total += (p - m)**2
        else:
            total -= m * math.log(p) + (1 - m) * math.log(1 - p)
    loss = search_loss(logits, target, kind)
    assert loss.item() == pytest.approx(total / 10, rel=1e-5)


def test_unknown_kind_is_an_error():
    with pytest.raises(ValueError, match="'dice' is unknown"):
        search_loss(torch.zeros(1, 1), torch.zeros(1, 1), 'dice')
