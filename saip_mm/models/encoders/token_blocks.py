from typing import Collection, Optional, Sequence, Tuple

import torch
from mmengine.model import BaseModule
from timm.layers import LayerNorm2d
from torch import Tensor, nn

from mmpretrain.models.backbones.vision_transformer import \
    TransformerEncoderLayer
from ..backbones.attention import attention_parts
from ..backbones.encoder_layer import lighten_layer

# image token, final tokens, attention; None for what was not asked for
Given = Tuple[Optional[Tensor], Optional[Tensor], Optional[Tensor]]


class TokenBlocks(BaseModule):
    """Transformer blocks with a class token behind a map.

    Args:
        in_dims (int): Channels of the map.
        dims (int): Width of the tokens. Defaults to 192.
        num_heads (Sequence[int]): Of each block. Defaults to (6, 12): the
            last has as many as a ViT-B, whose attention it can be compared
            with.
        entry (str): How the map becomes tokens: 'linear' (behind StarNet, the
            default) or 'neck', 1x1 and 3x3 convolutions with a LayerNorm
            between (behind TinyViT).
        mlp_ratio (float): Defaults to 4.

    Raises:
        ValueError: If ``entry`` is unknown, or heads do not share the width.

    Source:
        The students of SAIP* in the authors' downstream code. As there,
        places have no positions of their own: the map's convolutions know
        the borders.
    """

    def __init__(self,
                 in_dims: int,
                 dims: int = 192,
                 num_heads: Sequence[int] = (6, 12),
                 entry: str = 'linear',
                 mlp_ratio: float = 4.) -> None:
        super().__init__()
        if any(dims % heads for heads in num_heads):
            raise ValueError(f'num_heads {tuple(num_heads)} of blocks must '
                             f'all divide their width, {dims}')
        self.dims = dims
        self.entry = build_entry(entry, in_dims, dims)
        self.cls_token = nn.Parameter(torch.empty(1, 1, dims))
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        self.layers = nn.ModuleList(
            TransformerEncoderLayer(
                dims,
                heads,
                int(mlp_ratio * dims),
                norm_cfg=dict(type='LN', eps=1e-6)) for heads in num_heads)
        for layer in self.layers:
            lighten_layer(layer)
        self.norm = nn.LayerNorm(dims, eps=1e-6)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def init_weights(self) -> None:
        """Nothing: it began when it was built."""

    def forward(self, cells: Tensor, grid: Tuple[int, int],
                tokens: Collection[str]) -> Given:
        """Run the blocks.

        Args:
            cells (Tensor): ``(B, L, in_dims)``, a map row by row.
            grid (tuple[int, int]): Its rows and columns.
            tokens (Collection[str]): Of 'image', 'final', 'attention'.

        Returns:
            tuple: Class token ``(B, dims)`` and patch tokens ``(B, L, dims)``
            after the last norm, and the last block's attention, see
            :class:`Tokens`.
        """
        if isinstance(self.entry, nn.Linear):
            x = self.entry(cells)
        else:
            maps = cells.transpose(1, 2).unflatten(2, grid)
            # see StrideMapBackbone of convolutions in bfloat16
            with torch.autocast('cpu', enabled=False):
                maps = self.entry(maps.float())
            x = maps.flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.to(x).expand(len(x), -1, -1), x), 1)
        attention = None
        for layer in self.layers:
            if 'attention' in tokens and layer is self.layers[-1]:
                attention = attention_parts(layer.attn, layer.ln1(x))
            x = layer(x)
        image = self.norm(x[:, 0]) if 'image' in tokens else None
        final = self.norm(x[:, 1:]) if 'final' in tokens else None
        return image, final, attention


def build_entry(kind: str, in_dims: int, dims: int) -> nn.Module:
    """What makes tokens of a map, see :class:`TokenBlocks`."""
    if kind == 'linear':
        return nn.Linear(in_dims, dims)
    if kind == 'neck':
        return nn.Sequential(
            nn.Conv2d(in_dims, dims, 1, bias=False), LayerNorm2d(dims),
            nn.Conv2d(dims, dims, 3, padding=1, bias=False))
    raise ValueError(f"entry '{kind}' of blocks is unknown: use 'linear' or "
                     "'neck'")
