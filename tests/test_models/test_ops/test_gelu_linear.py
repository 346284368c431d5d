import torch
from torch import nn

from saip_mm.models.ops.gelu_linear import GeluLinear


def test_values_and_gradients_equal_the_pair():
    torch.manual_seed(0)
    light = GeluLinear(6, 4).double()
    x = torch.randn(2, 3, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(light, x)
    pair = nn.Sequential(nn.GELU(), nn.Linear(6, 4).double())
    pair[1].load_state_dict(light.state_dict())
    grads = []
    for layer in (light, pair):
        out = layer(x)
        grads.append(
            torch.autograd.grad(out.square().sum(), (x, *layer.parameters())))
    for ours, theirs in zip(*grads):
        torch.testing.assert_close(ours, theirs)


def test_under_autocast():
    light = GeluLinear(6, 4)
    x = torch.randn(5, 6, requires_grad=True)
    with torch.autocast('cpu', torch.bfloat16):
        out = light(x)
    assert out.dtype == torch.bfloat16
    out.float().sum().backward()
    assert light.weight.grad.dtype == x.grad.dtype == torch.float32
