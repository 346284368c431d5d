import copy

import torch

from mmpretrain.models.utils import MultiheadAttention
from saip_mm.models.backbones.attention import UnboundAttention


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
