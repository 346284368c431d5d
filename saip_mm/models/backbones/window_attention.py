"""TinyViT's window attention without its padding."""
from typing import List

import torch
import torch.nn.functional as F
from timm.models.tiny_vit import Attention, TinyVitBlock
from torch import Tensor, nn


def _cuts(side: int, window: int) -> List[int]:
    """A side as a run of whole windows and what remains, no zeros."""
    rest = side % window
    return [length for length in (side - rest, rest) if length]


def _attend(attn: Attention, qkv: Tensor, window: int) -> Tensor:
    """Attention in the windows of a region.

    Args:
        attn (Attention): Heads and biases.
        qkv (Tensor): ``(B, H, W, nh, 3 * d)``; each side a multiple of the
            window, or shorter than it.
        window (int): Side of a window.

    Returns:
        Tensor: ``(B, H, W, nh * d)``.
    """
    batch, height, width = qkv.shape[:3]
    rows, columns = min(height, window), min(width, window)
    qkv = qkv.unflatten(2, (-1, columns)).unflatten(1, (-1, rows))
    # (B, windows, windows, nh, rows, columns, 3 * d)
    qkv = qkv.permute(0, 1, 3, 5, 2, 4, 6)
    grid = qkv.shape[:3]
    parts = qkv.flatten(0, 2).flatten(2, 3).split(
        [attn.key_dim, attn.key_dim, attn.val_dim], -1)
    # gathered anew each time: timm's cache outlives a change of the weights
    index = attn.attention_bias_idxs.view([window] * 4)
    index = index[:rows, :columns, :rows, :columns].flatten(0, 1).flatten(1)
    out = F.scaled_dot_product_attention(
        *parts, attn_mask=attn.attention_biases[:, index].to(parts[0].dtype))
    out = out.unflatten(2, (rows, columns)).unflatten(0, grid)
    out = out.permute(0, 1, 4, 2, 5, 3, 6)
    return out.reshape(batch, height, width, -1)


class TrimmedWindowBlock(TinyVitBlock):
    """timm's TinyViT block, its windows ending where the map ends.

    The parent fills windows with zeros, which take part as keys: at person
    sizes most of a window. Here the windows at the right and lower edge are
    smaller instead, which equals a mask of minus infinity on the padding,
    without computing it. Parameters and keys are the parent's.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``(B, H, W, C)`` -> ``(B, H, W, C)``"""
        attn, window = self.attn, self.window_size
        qkv = attn.qkv(attn.norm(x)).unflatten(-1, (attn.num_heads, -1))
        strips = [
            torch.cat([
                _attend(attn, part, window)
                for part in strip.split(_cuts(x.shape[2], window), 2)
            ], 2) for strip in qkv.split(_cuts(x.shape[1], window), 1)
        ]
        x = x + self.drop_path1(attn.proj(torch.cat(strips, 1)))
        x = self.local_conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.drop_path2(self.mlp(x))


def trim_windows(model: nn.Module) -> int:
    """Make timm's TinyViT blocks inside a model trimmed ones, in place.

    Returns:
        int: Number of blocks.
    """
    blocks = [m for m in model.modules() if type(m) is TinyVitBlock]
    for block in blocks:
        block.__class__ = TrimmedWindowBlock
    return len(blocks)
