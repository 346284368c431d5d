from typing import Optional, Sequence, Tuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..ops.fused_attention import fused_attention
from ..ops.recompute import norm_feed_forward, norm_linear
from ..sincos import sincos_positions


class MultiheadAttention(nn.Module):
    """Attention from a query to a context, through PyTorch's fused kernel."""

    def __init__(self, dims: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query = nn.Linear(dims, dims)
        self.key_value = nn.Linear(dims, 2 * dims)
        self.proj = nn.Linear(dims, dims)

    def forward(self,
                query: Tensor,
                norm: nn.LayerNorm,
                context: Optional[Tensor],
                lengths: Optional[Sequence[int]] = None) -> Tensor:
        """Normalise the query, let it read the context, or itself.

        ``(B, Lq, C)``, ``(B, Lk, C)`` or None -> ``(B, Lq, C)``. What reads
        itself may be several queries side by side, of these lengths.
        """
        weights, biases = self.query.weight, self.query.bias
        if context is None:  # one product for all three
            weights = torch.cat((weights, self.key_value.weight))
            biases = torch.cat((biases, self.key_value.bias))
        q = norm_linear(query, norm, weights, biases)
        if context is None:
            q, k, v = q.chunk(3, -1)
        else:
            k, v = self.key_value(context).chunk(2, -1)
        heads = (self.num_heads, -1)
        q, k, v = (
            t.unflatten(-1, heads).transpose(1, 2)  # (B, nh, L, hs)
            for t in (q, k, v))
        if context is None and lengths:
            parts = zip(*(t.split(list(lengths), 2) for t in (q, k, v)))
            out = torch.cat([fused_attention(*part) for part in parts], 2)
        else:
            out = fused_attention(q, k, v)
        return self.proj(out.transpose(1, 2).flatten(2))


class InteractiveBlock(nn.Module):
    """Self-attention on the query, cross-attention, feed-forward (pre-norm).

    Source:
        The interactive computation block of paper 3.1.
    """

    def __init__(self, dims: int, num_heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(dims) for _ in range(3))
        self.self_attention = MultiheadAttention(dims, num_heads)
        self.cross_attention = MultiheadAttention(dims, num_heads)
        hidden = int(mlp_ratio * dims)
        self.feed_forward = nn.Sequential(
            nn.Linear(dims, hidden), nn.Linear(hidden, dims))

    def forward(self,
                query: Tensor,
                context: Tensor,
                lengths: Optional[Sequence[int]] = None) -> Tensor:
        """``(B, Lq, C)``, ``(B, Lk, C)`` -> ``(B, Lq, C)``."""
        query = query + self.self_attention(query, self.norms[0], None,
                                            lengths)
        query = query + self.cross_attention(query, self.norms[1], context)
        return query + norm_feed_forward(query, self.norms[2], *
                                         self.feed_forward)


@MODELS.register_module()
class PixelDecoder(BaseModule):
    """Pixel-level decoder phi(query, key, value) with key = value.

    Args:
        query_dims (int): Width of the query tokens.
        context_dims (int): Width of the key/value tokens.
        dims (int): Width inside. Defaults to 256 (ours; the release has 512).
        depth (int): Number of blocks. Defaults to 2 (ours).
        num_heads (int): Defaults to 8 (ours).
        mlp_ratio (float): Defaults to 4.

    Source:
        Paper 3.1. Both inputs have projections of their own, so student and
        expert may differ in width.
    """

    def __init__(self,
                 query_dims: int,
                 context_dims: int,
                 dims: int = 256,
                 depth: int = 2,
                 num_heads: int = 8,
                 mlp_ratio: float = 4.) -> None:
        super().__init__()
        self.dims = dims
        self.query_proj = nn.Linear(query_dims, dims)
        self.context_proj = nn.Linear(context_dims, dims)
        self.context_norm = nn.LayerNorm(dims)
        self.blocks = nn.ModuleList(
            InteractiveBlock(dims, num_heads, mlp_ratio) for _ in range(depth))
        self.norm = nn.LayerNorm(dims)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self,
                query: Tensor,
                context: Tensor,
                context_grid: Tuple[int, int],
                lengths: Optional[Sequence[int]] = None) -> Tensor:
        """Let the query read the context.

        Args:
            query (Tensor): ``(B, Lq, dims)``, projected by ``query_proj`` and
                with positions already added.
            context (Tensor): ``(B, Lk, context_dims)``.
            context_grid (tuple[int, int]): Rows and columns of the context.
            lengths (Sequence[int], optional): Several queries that do not
                see each other lie side by side, of these lengths, which sum
                to Lq: the context's part is computed once for all.

        Returns:
            Tensor: ``(B, Lq, dims)``, normalised.
        """
        context = self.context_norm(self.context_proj(context))
        context = context + sincos_positions(context_grid,
                                             self.dims).to(context)
        for block in self.blocks:
            query = block(query, context, lengths)
        return self.norm(query)
