from typing import Optional, Tuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.models.backbones.vision_transformer import \
    TransformerEncoderLayer
from mmpretrain.registry import MODELS
from ..backbones.encoder_layer import lighten_layer
from ..sincos import sincos_positions


@MODELS.register_module()
class MaskedImageDecoder(BaseModule):
    """A small transformer that paints all patches from the visible ones.

    Args:
        in_dims (int): Width of the visible tokens.
        out_dims (int): Values of a patch.
        dims (int): Width inside. Defaults to 512.
        depth (int): Number of blocks. Defaults to 8.
        num_heads (int): Defaults to 16.
        mlp_ratio (float): Defaults to 4.

    Source:
        MAE's decoder: fixed sine-cosine positions, learnt mask token, Xavier
        uniform start.
    """

    def __init__(self,
                 in_dims: int,
                 out_dims: int,
                 dims: int = 512,
                 depth: int = 8,
                 num_heads: int = 16,
                 mlp_ratio: float = 4.) -> None:
        super().__init__()
        self.dims = dims
        self.project = nn.Linear(in_dims, dims)
        self.mask_token = nn.Parameter(torch.empty(1, 1, dims))
        self.blocks = nn.ModuleList(
            TransformerEncoderLayer(dims, num_heads, int(mlp_ratio * dims))
            for _ in range(depth))
        self.norm = nn.LayerNorm(dims)
        self.to_patch = nn.Linear(dims, out_dims)
        for block in self.blocks:
            lighten_layer(block)
        self.init_weights()

    def init_weights(self) -> None:
        """MAE's start; not the blocks' own, which mmengine would call."""
        nn.init.normal_(self.mask_token, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        self.is_init = True  # once is enough: a model's walk draws no more

    def forward(self, visible: Tensor, image: Optional[Tensor], mask: Tensor,
                grid: Tuple[int, int]) -> Tensor:
        """Paint.

        Args:
            visible (Tensor): ``(B, L_visible, in_dims)`` in the grid's order.
            image (Tensor, optional): Class token ``(B, in_dims)``.
            mask (Tensor): ``(B, L)`` bool, True is hidden.
            grid (tuple[int, int]): Rows and columns, L of them.

        Returns:
            Tensor: ``(B, L, out_dims)``.
        """
        seen = self.project(visible)
        x = self.mask_token.to(seen).repeat(*mask.shape, 1)
        x = x.masked_scatter(~mask[..., None], seen)
        x = x + sincos_positions(grid, self.dims).to(x)
        if image is not None:  # its position is 0
            x = torch.cat((self.project(image)[:, None], x), 1)
        for block in self.blocks:
            x = block(x)
        return self.to_patch(self.norm(x[:, -mask.shape[1]:]))
