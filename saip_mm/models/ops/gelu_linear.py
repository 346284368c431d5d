"""A linear layer behind a GELU that keeps one tensor for backward."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _GeluLinear(torch.autograd.Function):
    """``linear(gelu(x))``; GELU is computed again in the backward pass."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.bias_dtype = bias.dtype
        return F.linear(F.gelu(x), weight, bias)

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, weight = ctx.saved_tensors
        rows = grad.reshape(-1, grad.shape[-1])
        active = F.gelu(x).reshape(-1, x.shape[-1]).to(rows.dtype)
        grad_weight = (rows.T @ active).to(weight.dtype)
        grad_active = (grad @ weight.to(grad.dtype)).to(x.dtype)
        grad_x = torch.ops.aten.gelu_backward(grad_active, x)
        return grad_x, grad_weight, rows.sum(0).to(ctx.bias_dtype)


class GeluLinear(nn.Linear):
    """``nn.GELU`` followed by ``nn.Linear``, lighter on memory.

    Autograd would keep both the input and the output of the GELU; the output
    is four widths of a transformer's feed-forward layer. Values, gradients
    and state-dict keys are those of the pair.

    Args:
        in_features (int): Width of the input.
        out_features (int): Width of the output.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``(..., in_features)`` before the GELU -> ``(..., out_features)``"""
        return _GeluLinear.apply(x, self.weight, self.bias)
