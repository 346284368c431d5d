from typing import Collection, Optional, Sequence, Tuple

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.models.backbones import VisionTransformer
from mmpretrain.models.utils import resize_pos_embed
from mmpretrain.registry import MODELS
from saip_mm.weights import Grid, check_orientation, meta_of, table_layout
from saip_mm.weights.semantic import AFFINE, GAIN, SHIFT
from ..sincos import sincos_positions
from ..tokens import Tokens
from .attention import attention_parts, set_heads
from .encoder_layer import LightEncoderLayer, lighten_layer
from .pretrained import PretrainedMixin


def visible_indices(mask: Tensor, batch: int, patches: int) -> Tensor:
    """Places of the patches that are not masked.

    Args:
        mask (Tensor): ``(B, L)`` bool, True is hidden.
        batch (int): Number of images.
        patches (int): L of the images.

    Returns:
        Tensor: ``(B, L_visible)`` int64, ascending.

    Raises:
        ValueError: If the mask is not bool, is made for another number of
            patches, or hides different numbers of them.
    """
    if mask.dtype != torch.bool or mask.shape != (batch, patches):
        raise ValueError(
            f'mask must be ({batch}, {patches}) bool, True is hidden; '
            f'got {tuple(mask.shape)} of {mask.dtype}')
    counts = (~mask).sum(1)
    fewest, most = torch.stack((counts.min(), counts.max())).tolist()
    if fewest != most:
        raise ValueError('mask must leave the same number of patches in every '
                         f'image, got {fewest} to {most}: draw it by count')
    return mask.byte().sort(dim=1, stable=True).indices[:, :most]


def _gain_and_shift(layer: nn.Module, args, out: Tensor) -> Tensor:
    """Forward hook: an affine map of a block's channels."""
    return out * layer.affine_gain.to(out) + layer.affine_shift.to(out)


@MODELS.register_module()
class GridVisionTransformer(PretrainedMixin, VisionTransformer):
    """mmpretrain's plain transformer whose positions know their grid.

    The parent takes every foreign position table for a square, and passes
    tables of equal length whatever their geometry. Here the grid is saved
    with the weights, in the buffer ``pos_grid`` (int64, rows and columns);
    the other keys are the parent's. A loaded table is resized in two
    dimensions from its own grid, which is told by, in this order:

    1. ``pos_grid`` in the state dict;
    2. ``checkpoint_grid`` below;
    3. ``meta['position_grid']`` of the file that ``init_cfg`` names;
    4. the only upright grid (1 <= h / w <= 3) with that many patches, unless
       the positions themselves lie like another.

    Args:
        checkpoint_grid (tuple[int, int], optional): Rows and columns of the
            position table in a checkpoint which does not say it.
        init (str): Random start where no ``init_cfg`` is given: 'dino'
            (truncated normal 0.02 for linear layers, class token and
            positions, zero bias), 'mae' (Xavier uniform for linear layers
            and the patch embedding, normal 0.02 for the class token, zero
            bias) or 'mmpretrain' (the parent's). Defaults to 'dino'.
        positions (str): Start of the learnable position table: 'random'
            (truncated normal 0.02) or 'sincos' (two-dimensional sine and
            cosine, 0 for the class token), which tells places apart from
            the first step on; 'fixed' is 'sincos' without training (MAE).
            Defaults to 'random'.
        num_heads (int, optional): Attention heads of every block. Defaults
            to None: the arch's, 3 in ``deit-tiny``.
        last_block_heads (int, optional): Of the last block. SAIP's authors
            have 6, and 12 here, in the students that learn from a ViT-B's
            attention. Defaults to None: as the other blocks.
        out_indices (int | Sequence[int]): As the parent's, but any sequence
            may hold negative indices. Defaults to -1.
        **kwargs: Arguments of ``mmpretrain.VisionTransformer``.

    Raises:
        ValueError: If the width cannot be shared among the heads; while
            loading, if the grid of the table cannot be told, or the file
            says that its blocks have other heads.
    """

    def __init__(self,
                 *args,
                 checkpoint_grid: Optional[Grid] = None,
                 init: str = 'dino',
                 positions: str = 'random',
                 num_heads: Optional[int] = None,
                 last_block_heads: Optional[int] = None,
                 out_indices=-1,
                 **kwargs) -> None:
        if isinstance(out_indices, Sequence):
            out_indices = list(out_indices)  # the parent writes into it
        super().__init__(*args, out_indices=out_indices, **kwargs)
        if init not in ('dino', 'mae', 'mmpretrain'):
            raise ValueError(f"init '{init}' is unknown: use 'dino', 'mae' or "
                             "'mmpretrain'")
        if positions not in ('random', 'sincos', 'fixed'):
            raise ValueError(f"positions '{positions}' is unknown: use "
                             "'random', 'sincos' or 'fixed'")
        if positions == 'fixed':  # and frozen_stages may have frozen them
            self.pos_embed.requires_grad_(False)
        for layer in self.layers:
            lighten_layer(layer)
            set_heads(layer.attn, num_heads or layer.attn.num_heads)
        last = self.layers[-1].attn
        set_heads(last, last_block_heads or last.num_heads)
        # heads change no tensor's shape: files must say them
        self.options = dict(
            num_heads=self.layers[0].attn.num_heads,
            last_block_heads=last.num_heads)
        self.checkpoint_grid = checkpoint_grid
        self.init = init
        self.positions = positions
        self._meta_grid: Optional[Grid] = None
        self.register_buffer('pos_grid', torch.tensor(self.patch_resolution))

    def init_weights(self) -> None:
        """Initialise, or load ``init_cfg``'s checkpoint by its own grid.

        Norms and tokens may be absent from it: a classifier pools without a
        class token, say. Without blocks it would be a random start.

        Raises:
            NoMatchError, ValueError: If that file is damaged, or lacks
                blocks, patches or positions, or has them in other shapes.
        """
        if not self.is_init:
            content = self.take_pretrained(
                ('layers.', 'patch_embed.', 'pos_embed'))
            self._meta_grid = meta_of(content).get('position_grid')
        if self.is_init or self.names_checkpoint:
            # not the parent's, which draws the positions anew where init_cfg
            # is a list, or on a second call
            BaseModule.init_weights(self)
            self._meta_grid = None
            return
        super().init_weights()
        if self.init == 'dino' and not self.init_cfg:
            self._init_as_dino()
        if self.init == 'mae' and not self.init_cfg:
            self._init_as_mae()
        if self.positions in ('sincos', 'fixed') and not self.init_cfg:
            self._init_sincos()

    @torch.no_grad()
    def _init_sincos(self) -> None:
        prefix = self.num_extra_tokens
        self.pos_embed[:, :prefix] = 0.
        self.pos_embed[:, prefix:] = sincos_positions(self.patch_resolution,
                                                      self.embed_dims)

    def _init_as_dino(self) -> None:
        # comes last, as each block's own init_weights overrides the FFN
        for module in self.layers.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if self.cls_token is not None:
            nn.init.trunc_normal_(self.cls_token, std=0.02)

    def _init_as_mae(self) -> None:
        linear = [m for m in self.layers.modules() if isinstance(m, nn.Linear)]
        for module in linear:
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        # as a matrix, not as a convolution
        nn.init.xavier_uniform_(
            self.patch_embed.projection.weight.data.flatten(1))
        if self.cls_token is not None:
            nn.init.normal_(self.cls_token, std=0.02)

    def train(self, mode: bool = True) -> 'GridVisionTransformer':
        """Switch mode, leave frozen stages in eval mode, return self."""
        super().train(mode)
        if mode and self.frozen_stages > 0:
            self._freeze_stages()
        return self

    def _prepare_pos_embed(self, state_dict: dict, prefix: str, *args,
                           **kwargs) -> None:
        """Fit the checkpoint's table to this model, before it is loaded."""
        self._take_affines(state_dict, prefix)
        key, grid_key = prefix + 'pos_embed', prefix + 'pos_grid'
        saved = state_dict.get(grid_key)
        # the buffer tells this model's grid: what is loaded is resized to it
        state_dict[grid_key] = self.pos_grid.clone()
        if key not in state_dict:
            return
        told = self.checkpoint_grid or self._meta_grid
        if saved is not None:
            told = saved.tolist()
        table, own = state_dict[key], tuple(self.patch_resolution)
        has_class_token = prefix + 'cls_token' in state_dict
        grid, slots = table_layout(table.shape[1], has_class_token, told, key)
        if told is None:
            check_orientation(table, grid, slots, key)
        if grid != own:
            print_log(
                f'Resize {key} from {grid[0]}x{grid[1]} to '
                f'{own[0]}x{own[1]} positions', 'current')
        table = resize_pos_embed(table, grid, own, self.interpolate_mode,
                                 slots)
        if slots < self.num_extra_tokens:
            # a class token without a position is one whose position is 0
            table = torch.cat((torch.zeros_like(table[:, :1]), table), 1)
        state_dict[key] = table[:, max(slots - self.num_extra_tokens, 0):]

    def _take_affines(self, state_dict: dict, prefix: str) -> None:
        """Have gains and shifts behind blocks where a file has them.

        SOLIDER's controllers at a constant lambda: buffers, not trained.
        """
        if prefix + 'pos_embed' in state_dict:  # a backbone's, without any
            for layer in self.layers:
                for name, neutral in ((GAIN, 1.), (SHIFT, 0.)):
                    if hasattr(layer, name):
                        getattr(layer, name).fill_(neutral)
        for key in list(state_dict):
            match = AFFINE.fullmatch(key[len(prefix):])
            if not key.startswith(prefix) or match is None:
                continue
            layer = self.layers[int(match[1])]
            if match[2] not in dict(layer.named_buffers()):
                if not hasattr(layer, GAIN) and not hasattr(layer, SHIFT):
                    layer.register_forward_hook(_gain_and_shift)
                layer.register_buffer(match[2],
                                      torch.empty_like(state_dict[key]))

    def forward_tokens(
        self,
        x: Tensor,
        inner: Optional[int] = None,
        mask: Optional[Tensor] = None,
        tokens: Collection[str] = ('image', )
    ) -> Tokens:
        """Class token, patch tokens of an inner block, and of the last.

        Blocks beyond what is asked for are not run.

        Args:
            x (Tensor): ``(B, 3, H, W)``; H and W multiples of the patch.
            inner (int, optional): Index of the block whose patch tokens are
                wanted; negative counts from the end. Defaults to None.
            mask (Tensor, optional): ``(B, L)`` bool, True is hidden: those
                patches never enter the blocks. The same number an image.
            tokens (Collection[str]): 'image' for the class token, 'final' for
                the patch tokens of the last block, both after the final norm;
                'attention' for its queries, keys and values. Defaults to the
                class token.

        Returns:
            Tokens: ``image`` None if the model has no class token; ``inner``
            not normalised; patch tokens ``(B, L, D)``, with a mask
            ``(B, L_visible, D)``, in the order of the grid.

        Raises:
            ValueError: If a side is no multiple of the patch, ``inner`` is
                no block, or the mask does not fit.
        """
        image_wanted = 'image' in tokens and self.cls_token is not None
        final_wanted = 'final' in tokens
        attention_wanted = 'attention' in tokens
        depth = self._depth_needed(
            inner, image_wanted or final_wanted or attention_wanted)
        x, grid = self.embed(x, mask)
        patches = image = final = attention = None
        for index, layer in enumerate(self.layers[:depth]):
            if attention_wanted and index == self.num_layers - 1:
                attention = attention_parts(layer.attn, layer.ln1(x))
            only = not final_wanted and self._only_class_token_leaves(
                index, inner)
            x = layer(x, first=self.num_extra_tokens) if only else layer(x)
            if inner is not None and index == inner % self.num_layers:
                patches = x[:, self.num_extra_tokens:]
        norm = self.ln1 if self.final_norm else nn.Identity()
        if image_wanted:
            image = norm(x[:, 0])
        if final_wanted:
            final = norm(x[:, self.num_extra_tokens:])
        return Tokens(image, patches, final, grid, attention)

    def _only_class_token_leaves(self, index: int,
                                 inner: Optional[int]) -> bool:
        last = self.num_layers - 1
        return (index == last and self.num_extra_tokens > 0
                and (inner is None or inner % self.num_layers != last)
                and isinstance(self.layers[index], LightEncoderLayer))

    def _depth_needed(self, inner: Optional[int], final: bool) -> int:
        depth = self.num_layers
        if inner is not None and not -depth <= inner < depth:
            raise ValueError(f'inner block {inner} is outside the {depth} '
                             'blocks of the backbone')
        if final:
            return depth
        return 0 if inner is None else inner % depth + 1

    def embed(self,
              x: Tensor,
              mask: Optional[Tensor] = None) -> Tuple[Tensor, Grid]:
        """What enters the blocks: patches with positions, class token first.

        Args:
            x (Tensor): ``(B, 3, H, W)``; H and W multiples of the patch.
            mask (Tensor, optional): As in :meth:`forward_tokens`.

        Returns:
            tuple: ``(B, 1 + L, D)``, without the 1 if there is no class
            token, and the grid of all patches.
        """
        convolution = self.patch_embed.projection
        sides, patch = x.shape[-2:], convolution.stride
        overlaps = tuple(convolution.kernel_size) != tuple(patch)
        if not overlaps and (sides[0] % patch[0] or sides[1] % patch[1]):
            raise ValueError(
                f'images of {sides[0]}x{sides[1]} are not divisible by the '
                f'{patch[0]}x{patch[1]} patch: resize or crop them to '
                'multiples of it')
        with torch.autocast('cpu', enabled=False):  # see StrideMapBackbone
            x, grid = self.patch_embed(x)
        extra = self.num_extra_tokens
        positions = resize_pos_embed(self.pos_embed, self.patch_resolution,
                                     grid, self.interpolate_mode, extra)
        x = x + positions[:, extra:]
        if mask is not None:
            visible = visible_indices(mask, *x.shape[:2])
            x = x.gather(1, visible[..., None].expand(-1, -1, x.shape[-1]))
        if self.cls_token is not None:
            token = self.cls_token + positions[:, :extra]
            # not len(x), which torch.export would make a constant
            x = torch.cat((token.expand(x.shape[0], -1, -1), x), 1)
        return self.pre_norm(self.drop_after_pos(x)), tuple(grid)
