"""Layers behind a LayerNorm that keep their input alone for backward.

Autograd would keep the norm's output and, in a feed-forward layer, the
hidden units before and after the activation, together ten of the sixteen
widths a token that a transformer block keeps. Here they are computed again
in the backward pass. Values and gradients are those of the plain modules.
"""
from typing import Iterator, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CACHED_VALUES = 2**18  # hidden units of a feed-forward, a thread of a CPU


def _row_parts(rows: Tensor, width: int) -> Iterator[slice]:
    """Slices of ``(R, C)`` whose hidden units stay in the cache of a CPU.

    That is faster there, and asks the heap for small pieces, which fit into
    the gaps between kept tensors. Accelerators take all at once.
    """
    step = max(1, len(rows))
    if rows.device.type == 'cpu':
        step = max(1, int(CACHED_VALUES * torch.get_num_threads() / width))
    for first in range(0, len(rows), step):
        yield slice(first, first + step)


def _normalise(x: Tensor, gain: Tensor, shift: Tensor, eps: float) -> tuple:
    """Input in the norm's precision, its norm, mean and 1 / deviation."""
    x = x.to(gain.dtype)
    return x, *torch.native_layer_norm(x, x.shape[-1:], gain, shift, eps)


def _linear_backward(grad: Tensor, x: Tensor,
                     weight: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    """Gradients of ``x``, weight and bias, matrices in the dtype of grad."""
    rows = grad.reshape(-1, grad.shape[-1])
    grad_weight = rows.T @ x.reshape(-1, x.shape[-1]).to(grad.dtype)
    return (grad @ weight.to(grad.dtype), grad_weight.to(weight.dtype),
            rows.sum(0).to(weight.dtype))


class _NormLinear(torch.autograd.Function):
    """``linear(norm(x))``"""

    @staticmethod
    def forward(ctx, x: Tensor, gain: Tensor, shift: Tensor, weight: Tensor,
                bias: Optional[Tensor], eps: float) -> Tensor:
        ctx.save_for_backward(x, gain, shift, weight)
        ctx.eps, ctx.bias = eps, bias is not None
        return F.linear(_normalise(x, gain, shift, eps)[1], weight, bias)

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, gain, shift, weight = ctx.saved_tensors
        with torch.autocast(x.device.type, enabled=False):
            full, normed, mean, rstd = _normalise(x, gain, shift, ctx.eps)
            grad_normed, *grads = _linear_backward(grad, normed, weight)
            grad_x, *norm_grads = torch.ops.aten.native_layer_norm_backward(
                grad_normed.to(gain.dtype), full, full.shape[-1:], mean, rstd,
                gain, shift, (True, True, True))
        if not ctx.bias:
            grads[1] = None
        return grad_x.to(x.dtype), *norm_grads, *grads, None


class _NormFeedForward(torch.autograd.Function):
    """``second(gelu(first(norm(x))))``"""

    @staticmethod
    def forward(ctx, x: Tensor, gain: Tensor, shift: Tensor, first: Tensor,
                first_bias: Tensor, second: Tensor, second_bias: Tensor,
                eps: float) -> Tensor:
        ctx.save_for_backward(x, gain, shift, first, first_bias, second)
        ctx.eps = eps
        normed = _normalise(x, gain, shift, eps)[1].flatten(0, -2)
        out = [
            F.linear(
                F.gelu(F.linear(normed[part], first, first_bias)), second,
                second_bias) for part in _row_parts(normed, len(first))
        ]
        out = torch.cat(out) if len(out) > 1 else out[0]
        return out.unflatten(0, x.shape[:-1])

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, gain, shift, *weights = ctx.saved_tensors
        with torch.autocast(x.device.type, enabled=False):
            full, normed, mean, rstd = _normalise(x, gain, shift, ctx.eps)
            rows, grad = normed.flatten(0, -2), grad.flatten(0, -2)
            grad_normed, grads = torch.empty_like(rows), None
            # under autocast as low as in the forward pass
            low = [weight.to(grad.dtype) for weight in weights]
            for part in _row_parts(rows, len(weights[0])):
                grad_normed[part], *new = _feed_forward_backward(
                    grad[part], rows[part].to(grad.dtype), *low)
                # sums over the parts in the precision of the parameters
                new = [g.to(weights[0].dtype) for g in new]
                if grads:
                    torch._foreach_add_(grads, new)
                else:
                    grads = new
            grad_x, *norm_grads = torch.ops.aten.native_layer_norm_backward(
                grad_normed.view_as(full), full, full.shape[-1:], mean, rstd,
                gain, shift, (True, True, True))
        return grad_x.to(x.dtype), *norm_grads, *grads, None


def _feed_forward_backward(grad: Tensor, rows: Tensor, first: Tensor,
                           first_bias: Tensor, second: Tensor):
    """Gradients of rows ``(R, C)`` and of the layers, hidden units anew."""
    hidden = F.linear(rows, first, first_bias)
    grad_active, *second_grads = _linear_backward(grad, F.gelu(hidden), second)
    grad_hidden = torch.ops.aten.gelu_backward(grad_active, hidden)
    grad_rows, *first_grads = _linear_backward(grad_hidden, rows, first)
    return grad_rows, *first_grads, *second_grads


def norm_linear(x: Tensor, norm: nn.LayerNorm, weight: Tensor,
                bias: Optional[Tensor]) -> Tensor:
    """A linear layer of the normalised input; keeps ``x``.

    Args:
        x (Tensor): ``(..., C)``.
        norm (nn.LayerNorm): Over the last axis, with gain and shift.
        weight (Tensor): ``(D, C)`` of the linear layer.
        bias (Tensor, optional): ``(D,)``.

    Returns:
        Tensor: ``(..., D)``.
    """
    return _NormLinear.apply(x, norm.weight, norm.bias, weight, bias, norm.eps)


def norm_feed_forward(x: Tensor, norm: nn.LayerNorm, first: nn.Linear,
                      second: nn.Linear) -> Tensor:
    """Two linear layers with a GELU between, of the normalised input.

    Keeps ``x``; the price is the first linear layer once more, about a
    twelfth of a block's work forward and backward.

    Args:
        x (Tensor): ``(..., C)``.
        norm (nn.LayerNorm): Over the last axis, with gain and shift.
        first (nn.Linear): From C, with bias.
        second (nn.Linear): To D, with bias.

    Returns:
        Tensor: ``(..., D)``.
    """
    return _NormFeedForward.apply(x, norm.weight, norm.bias, first.weight,
                                  first.bias, second.weight, second.bias,
                                  norm.eps)
