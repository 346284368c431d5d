from dataclasses import replace
from typing import Collection, Optional, Tuple

import torch
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..backbones.vit import visible_indices
from ..tokens import TokenDims, Tokens
from .base import Encoder, probe_side
from .token_blocks import TokenBlocks


@MODELS.register_module()
class MapEncoder(Encoder):
    """A hierarchical backbone as an encoder.

    The image token is the average of the last map, the inner tokens are the
    cells of the map of one stride, each with a LayerNorm of its own; the final
    tokens are the cells of the last map. A masked place shows the mean colour
    (0), and final tokens are of all places, so none are given with a mask.

    With ``blocks`` the last map goes through transformer blocks with a class
    token: that is the image token then, their patch tokens are the final
    ones, and there is attention. SAIP's authors have them behind the StarNet
    and TinyViT that learn from a ViT-B. They are no part of the backbone, so
    they are not published with it (the authors keep theirs).

    Args:
        backbone (dict): Config of a backbone in mmpretrain's registry that
            returns a tuple of maps, ordered by stride.
        stride (int): Of the map that gives the inner tokens. Defaults to 16.
        blocks (dict, optional): Settings of ``TokenBlocks``; an empty dict
            for the authors'. Defaults to None, no blocks.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If there is no such map.
    """

    def __init__(self,
                 backbone: dict,
                 stride: int = 16,
                 blocks: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.dims = self._probe_maps(stride)
        self.blocks = None
        if blocks is not None:
            self.blocks = TokenBlocks(self.dims.final, **blocks)
            width = self.blocks.dims
            self.dims = replace(self.dims, image=width, final=width)
        self.image_norm = (
            nn.LayerNorm(self.dims.image)
            if self.blocks is None else nn.Identity())
        self.patch_norm = nn.LayerNorm(self.dims.inner)
        self.final_norm = nn.Identity()

    @torch.no_grad()
    def _probe_maps(self, stride: int) -> TokenDims:
        """Find the map and the widths with one blank image."""
        training = self.backbone.training
        self.backbone.eval()  # BatchNorm must not count the blank image
        side = probe_side(stride)
        maps = self.backbone(torch.zeros(1, 3, side, side))
        self.backbone.train(training)
        strides = [side // feature.shape[-1] for feature in maps]
        if stride not in strides:
            raise ValueError(
                f'{type(self.backbone).__name__} gives maps of strides '
                f'{strides}, none of {stride}: choose its output indices so '
                f'that stride {stride} is among them')
        self.patch_map = strides.index(stride)
        last = maps[-1].shape[1]
        return TokenDims(last, maps[self.patch_map].shape[1], last, stride)

    def forward(
        self,
        x: Tensor,
        mask: Optional[Tensor] = None,
        tokens: Collection[str] = ('image', 'inner')
    ) -> Tokens:
        """See :meth:`Encoder.forward`; sides are rounded up to the stride.

        Raises:
            ValueError: If final tokens are asked for with a mask, or
                attention, and there are no blocks.
        """
        visible = None
        if mask is not None:
            x, visible = self._hide(x, mask)
        maps = self._maps(x)
        grid = tuple(maps[self.patch_map].shape[-2:])
        if mask is not None:
            self._check_cells(x, grid)
            if 'final' in tokens:
                raise ValueError(
                    f"{type(self.backbone).__name__} has 'final' tokens of "
                    'hidden places too: ask for inner tokens with a mask, or '
                    'take a plain transformer, which leaves them out')
        image = inner = final = attention = None
        if self.blocks is not None and set(tokens) - {'inner'}:
            image, final, attention = self.blocks(
                maps[-1].flatten(2).transpose(1, 2), tuple(maps[-1].shape[2:]),
                tokens)
        elif 'attention' in tokens:
            raise ValueError(
                f'{type(self.backbone).__name__} has no transformer block of '
                'whole images whose attention could be given: set blocks=dict('
                ') on its encoder, or leave the attention term out')
        elif 'image' in tokens:
            image = maps[-1].mean((2, 3))
        if image is not None:
            image = self.image_norm(image)
        if 'inner' in tokens:
            inner = maps[self.patch_map].flatten(2).transpose(1, 2)
            if visible is not None:
                inner = inner.gather(
                    1, visible[..., None].expand(-1, -1, inner.shape[-1]))
            inner = self.patch_norm(inner)
        if 'final' in tokens:
            if self.blocks is None:
                final = maps[-1].flatten(2).transpose(1, 2)
            final = self.final_norm(final)
        return Tokens(image, inner, final, grid, attention,
                      tuple(maps[-1].shape[-2:]))

    def _cells(self, x: Tensor) -> Tuple[int, int]:
        """Rows and columns of a mask of images."""
        height, width = (-(-side // self.dims.stride) for side in x.shape[-2:])
        return height, width

    def _hide(self, x: Tensor, mask: Tensor) -> Tuple[Tensor, Tensor]:
        """Images with the masked cells grey, and the places of the others."""
        stride, (height, width) = self.dims.stride, x.shape[-2:]
        rows, columns = self._cells(x)
        visible = visible_indices(mask, len(x), rows * columns)
        hidden = mask.view(-1, 1, rows, columns)
        hidden = hidden.repeat_interleave(stride, 2).repeat_interleave(
            stride, 3)[..., :height, :width]
        return x.masked_fill(hidden, 0.), visible

    def _check_cells(self, x: Tensor, grid: Tuple[int, int]) -> None:
        """Refuse a mask whose cells are not those of the map."""
        if grid != self._cells(x):
            stride, (height, width) = self.dims.stride, x.shape[-2:]
            rows, columns = self._cells(x)
            raise ValueError(
                f'{type(self.backbone).__name__} gives a map of '
                f'{grid[0]}x{grid[1]} cells for images of {height}x{width}, '
                f'the mask has {rows}x{columns}: mask images whose sides are '
                f'multiples of {stride}')

    def _maps(self, x: Tensor) -> Tuple[Tensor, ...]:
        try:
            return self.backbone(x)
        except ValueError as error:
            if 'more than 1 value per channel' not in str(error):
                raise
            raise ValueError(
                'BatchNorm has a single value a channel to normalise by: '
                f'{len(x)} image of {x.shape[-2]}x{x.shape[-1]} ends in a map '
                'of 1x1. Use a batch_size of 2 or more a process, or larger '
                'crops (size, local_size)') from error
