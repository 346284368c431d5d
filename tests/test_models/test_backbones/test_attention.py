import copy

import pytest
import torch

from mmpretrain.models.utils import MultiheadAttention
from saip_mm.models.backbones.attention import UnboundAttention, set_heads


def test_values_and_gradients_are_the_parents():
    torch.manual_seed(0)
    parent = MultiheadAttention(8, 2).double()
    ours = copy.deepcopy(parent)
    ours.__class__ = UnboundAttention
    grads = []
    for layer in (parent, ours):
        x = torch.randn(
            2,
            5,
            8,
            dtype=torch.float64,
            generator=torch.Generator().manual_seed(1)).requires_grad_()
        out = layer(x)
        grads.append((out, *torch.autograd.grad(out.square().sum(),
                                                (x, *layer.parameters()))))
    for a, b in zip(*grads):
        torch.testing.assert_close(a, b)


def test_heads_share_the_width():
    """Against a loop over heads, in float64."""
    torch.manual_seed(0)
    layer = MultiheadAttention(12, 2).double()
    layer.__class__ = UnboundAttention
    set_heads(layer, 3)
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    q, k, v = (x @ layer.qkv.weight.T + layer.qkv.bias).chunk(3, -1)
    heads = []
    for start in (0, 4, 8):
        a, b, c = (t[..., start:start + 4] for t in (q, k, v))
        heads.append((a @ b.mT / 2).softmax(-1) @ c)
    expected = torch.cat(heads, -1) @ layer.proj.weight.T + layer.proj.bias
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize('heads', [0, 5])
def test_heads_that_do_not_fit_are_refused(heads):
    with pytest.raises(ValueError, match=f'{heads} heads .* width of 12'):
        set_heads(MultiheadAttention(12, 2), heads)
