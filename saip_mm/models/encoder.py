from dataclasses import dataclass
from typing import NamedTuple, Optional, Tuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.registry import MODELS

STRIDE = 16
PROBE = 64  # side of the blank image that tells a backbone's widths


class EncoderOutput(NamedTuple):
    """Tokens of a batch of B images.

    Attributes:
        image_token (Tensor, optional): ``(B, D)``, the whole image.
        patch_tokens (Tensor, optional): ``(B, L, D')`` at stride 16, row by
            row; with a mask the visible ones only, in the same order.
        grid (tuple[int, int]): Rows and columns of the full token grid.
    """
    image_token: Optional[Tensor]
    patch_tokens: Optional[Tensor]
    grid: Tuple[int, int]


# no NamedTuple: ConfigDict rebuilds tuples it is given
@dataclass(frozen=True)
class TokenDims:
    """Widths of an encoder's tokens: D of the image's, D' of the patches'."""
    image: int
    patch: int


def gather_visible(tokens: Tensor, mask: Tensor) -> Tensor:
    """Keep the tokens which are not masked.

    Args:
        tokens (Tensor): ``(B, L, D)``.
        mask (Tensor): ``(B, L)`` bool, True is hidden; the same number is
            hidden in every image.

    Returns:
        Tensor: ``(B, L_visible, D)``, in the order of the grid.
    """
    return tokens[~mask].view(len(tokens), -1, tokens.shape[-1])


@MODELS.register_module()
class PersonEncoder(BaseModule):
    """Any backbone as an encoder of one image token and stride-16 tokens.

    A plain vision transformer (``GridVisionTransformer``) gives its class
    token after the final norm, and the patch tokens of an inner block. A
    hierarchical backbone (anything that returns a tuple of maps, ordered by
    stride) gives the average of its last map and its stride-16 map. Tokens a
    backbone does not normalise itself get a LayerNorm of their own here.

    Args:
        backbone (dict): Config of a backbone in mmpretrain's registry.
        patch_index (int): Block whose output gives a plain transformer's
            patch tokens; negative counts from the end. Defaults to 6, block
            7 of 12, as in the authors' release.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If a hierarchical backbone has no stride-16 map.
    """

    def __init__(self,
                 backbone: dict,
                 patch_index: int = 6,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.plain = hasattr(self.backbone, 'forward_tokens')
        if self.plain:
            depth = len(self.backbone.layers)
            if not -depth <= patch_index < depth:
                raise ValueError(f'patch_index {patch_index} is outside the '
                                 f'{depth} blocks of the backbone')
            self.patch_index = patch_index % depth
            width = self.backbone.embed_dims
            self.dims = TokenDims(width, width)
            self.image_norm = nn.Identity()
        else:
            self.dims = self._probe_maps()
            self.image_norm = nn.LayerNorm(self.dims.image)
        self.patch_norm = nn.LayerNorm(self.dims.patch)

    @torch.no_grad()
    def _probe_maps(self) -> TokenDims:
        """Find the stride-16 map and the widths with one blank image."""
        training = self.backbone.training
        self.backbone.eval()  # BatchNorm must not count the blank image
        maps = self.backbone(torch.zeros(1, 3, PROBE, PROBE))
        self.backbone.train(training)
        sides = [feature.shape[-1] for feature in maps]
        if PROBE // STRIDE not in sides:
            raise ValueError(
                f'{type(self.backbone).__name__} gives maps of strides '
                f'{[PROBE // side for side in sides]}, none of {STRIDE}: '
                'choose its output indices so that stride 16 is among them')
        self.patch_map = sides.index(PROBE // STRIDE)
        return TokenDims(maps[-1].shape[1], maps[self.patch_map].shape[1])

    def forward(self,
                x: Tensor,
                mask: Optional[Tensor] = None,
                tokens: str = 'both') -> EncoderOutput:
        """Encode images of one size.

        Args:
            x (Tensor): ``(B, 3, H, W)`` normalised images; H and W multiples
                of 16 for a plain transformer.
            mask (Tensor, optional): ``(B, L)`` bool over the stride-16 grid,
                True is hidden: a plain transformer never sees those patches,
                a hierarchical backbone sees the mean colour (0) there.
            tokens (str): 'both', 'image' or 'patch'; what is not asked for
                is None, and not computed where that saves anything.

        Returns:
            EncoderOutput: Tokens and grid.
        """
        if self.plain:
            image, patches, grid = self.backbone.forward_tokens(
                x,
                inner=None if tokens == 'image' else self.patch_index,
                mask=mask,
                final=tokens != 'patch')
        else:
            image, patches, grid = self._forward_maps(x, mask, tokens)
        if image is not None:
            image = self.image_norm(image)
        if patches is not None:
            patches = self.patch_norm(patches)
        return EncoderOutput(image, patches, grid)

    def _forward_maps(self, x: Tensor, mask: Optional[Tensor], tokens: str):
        if mask is not None:
            rows, columns = -(-x.shape[-2] // STRIDE), -(-x.shape[-1] //
                                                         STRIDE)
            hidden = mask.view(-1, 1, rows, columns)
            hidden = hidden.repeat_interleave(STRIDE, 2).repeat_interleave(
                STRIDE, 3)[..., :x.shape[-2], :x.shape[-1]]
            x = x.masked_fill(hidden, 0.)
        maps = self._maps(x)
        grid = tuple(maps[self.patch_map].shape[-2:])
        image = patches = None
        if tokens != 'patch':
            image = maps[-1].mean((2, 3))
        if tokens != 'image':
            patches = maps[self.patch_map].flatten(2).transpose(1, 2)
            if mask is not None:
                patches = gather_visible(patches, mask)
        return image, patches, grid

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

    def extract(self, images: Tensor) -> Tensor:
        """Image tokens ``(B, D)`` of normalised images ``(B, 3, H, W)``."""
        return self(images, tokens='image').image_token

    def freeze_unreached(self, tokens: str) -> int:
        """Freeze the parameters that the given tokens do not depend on.

        With an objective switched off, some layers get no gradient, which
        DistributedDataParallel refuses. What is reached is read off the
        graph of one blank image, so it holds for any backbone.

        Args:
            tokens (str): 'both', 'image' or 'patch'.

        Returns:
            int: Number of parameters (scalars) frozen here.
        """
        training = self.training
        self.train(False)
        out = self(torch.zeros(1, 3, PROBE, PROBE), tokens=tokens)
        total = sum(t.sum() for t in out[:2] if t is not None)
        params = [p for p in self.parameters() if p.requires_grad]
        grads = torch.autograd.grad(total, params, allow_unused=True)
        unreached = [p for p, g in zip(params, grads) if g is None]
        for param in unreached:
            param.requires_grad_(False)
        self.train(training)
        return sum(p.numel() for p in unreached)
