from typing import Tuple

import torch.nn.functional as F
from torch import Tensor

from mmpretrain.models.utils import MultiheadAttention
from ..ops.fused_attention import fused_attention


class UnboundAttention(MultiheadAttention):
    """mmpretrain's self-attention with a cheaper backward pass.

    The parent indexes query, key and value out of one tensor, so autograd
    fills three zero tensors of threefold width and adds them up; unbinding
    gives it one stack. Values, parameters and keys are the parent's.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``(B, N, C)`` -> ``(B, N, C)``"""
        return self.attend(*self.split(self.qkv(x), 3))

    def split(self, projected: Tensor, parts: int) -> Tuple[Tensor, ...]:
        """``(B, N, parts * C)`` -> ``parts`` tensors ``(B, N, nh, hs)``."""
        shape = (parts, self.num_heads, self.head_dims)
        return projected.unflatten(-1, shape).unbind(2)

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Query ``(B, M, nh, hs)``, key, value ``(B, N, nh, hs)`` -> ``(B, M,
        C)``"""
        q, k, v = (t.transpose(1, 2) for t in (q, k, v))  # (B, nh, N, hs)
        drop = self.attn_drop if self.training else 0.
        attention = self.scaled_dot_product_attention  # its own with qk_scale
        if attention is F.scaled_dot_product_attention:
            attention = fused_attention
        out = attention(q, k, v, dropout_p=drop)
        out = self.proj(out.transpose(1, 2).flatten(2))
        out = self.out_drop(self.gamma1(self.proj_drop(out)))
        return v.squeeze(1) + out if self.v_shortcut else out


def attention_parts(attention: MultiheadAttention, x: Tensor) -> Tensor:
    """Queries, keys and values of a block, which its fused kernel keeps.

    Args:
        attention (MultiheadAttention): mmpretrain's, or one like it.
        x (Tensor): ``(B, N, C)``, what the block's first norm gives.

    Returns:
        Tensor: ``(B, 3, nh, N, hs)``.
    """
    heads = (3, attention.num_heads, -1)
    return attention.qkv(x).unflatten(-1, heads).permute(0, 2, 3, 1, 4)


def set_heads(attention: MultiheadAttention, num_heads: int) -> None:
    """Share a block's width among another number of heads, in place.

    Raises:
        ValueError: If the width is no multiple of the number.
    """
    width = attention.embed_dims
    if num_heads < 1 or width % num_heads:
        raise ValueError(f'{num_heads} heads cannot share a width of {width}: '
                         'num_heads and last_block_heads must divide it')
    attention.num_heads, attention.head_dims = num_heads, width // num_heads
