"""PyTorch's fused attention, in float32 where its bfloat16 kernel is slow."""
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor


def _keep_low(low: torch.dtype):
    """Hooks that keep query, key, value and output in ``low`` for backward.

    The first three came in it, so nothing is lost by them. The log-sum-exp,
    which has no width, stays in float32.
    """

    def pack(tensor: Tensor) -> Tensor:
        wide = tensor.dtype == torch.float32 and tensor.dim() == 4
        return tensor.to(low) if wide else tensor

    def unpack(tensor: Tensor) -> Tensor:
        return tensor.float() if tensor.dtype == low else tensor

    return torch.autograd.graph.saved_tensors_hooks(pack, unpack)


def fused_attention(query: Tensor,
                    key: Tensor,
                    value: Tensor,
                    dropout_p: float = 0.) -> Tensor:
    """``F.scaled_dot_product_attention``, on a CPU at its faster precision.

    Its CPU kernel takes twice as long to go back in bfloat16 as in float32
    (at person sizes, where products of matrices gain more than twofold), so
    under autocast it runs in float32 there and keeps bfloat16 for backward.

    Args:
        query (Tensor): ``(B, nh, M, hs)``.
        key (Tensor): ``(B, nh, N, hs)``.
        value (Tensor): ``(B, nh, N, hs)``.
        dropout_p (float): Share of the weights dropped. Defaults to 0.

    Returns:
        Tensor: ``(B, nh, M, hs)``.
    """
    low, inputs = query.dtype, (query, key, value)
    if query.device.type != 'cpu' or low.itemsize >= 4:
        return F.scaled_dot_product_attention(*inputs, dropout_p=dropout_p)
    keep = _keep_low(low) if torch.is_grad_enabled() else nullcontext()
    with torch.autocast('cpu', enabled=False), keep:
        out = F.scaled_dot_product_attention(
            *(t.float() for t in inputs), dropout_p=dropout_p)
    return out.to(low)
