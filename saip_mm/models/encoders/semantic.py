"""Encoders that are told how much to say of parts instead of looks."""
from functools import partial
from typing import Collection, List, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from saip_mm.weights import controlled_blocks
from ..backbones import GridVisionTransformer
from ..tokens import Tokens
from .base import Encoder
from .maps import MapEncoder
from .plain import PlainEncoder, is_plain

# where a stage of a hierarchical backbone begins, less the stage's number
DOWN_SAMPLING = ('timm_model.stages_{}.downsample', 'timm_model.stages_{}.0')


class SemanticController(nn.Module):
    """A number for each image becomes a gain and a shift of channels.

    Args:
        width (int): Channels C.

    Source:
        SOLIDER: ``x * softplus(W [lambda, 1 - lambda]) + B [lambda, 1 -
        lambda]``, both linear, truncated normal 0.02, zero bias: the gain
        starts at 0.69.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain, self.shift = nn.Linear(2, width), nn.Linear(2, width)
        for layer in (self.gain, self.shift):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def affine(self, weight: Tensor) -> Tuple[Tensor, Tensor]:
        """``(B, )`` lambda in [0, 1] -> gain and shift ``(B, C)``"""
        told = torch.stack((weight, 1 - weight), 1)
        return F.softplus(self.gain(told)), self.shift(told)


def controlled_sites(backbone: nn.Module) -> List[Tuple[str, int]]:
    """Modules behind which controllers act, and their channels.

    A plain transformer's are the blocks at a quarter, a half and three
    quarters of its depth (3, 6 and 9 of 12), a hierarchical one's the
    down-sampling of its stages 2, 3 and 4.

    Args:
        backbone (nn.Module): A ``GridVisionTransformer``, or StarNet or
            TinyViT as a ``StrideMapBackbone``.

    Returns:
        list[tuple[str, int]]: Name inside the backbone, and channels.

    Raises:
        ValueError: If it is none of these.
    """
    if isinstance(backbone, GridVisionTransformer):
        return [(f'layers.{i}', backbone.embed_dims)
                for i in controlled_blocks(len(backbone.layers))]
    modules = dict(backbone.named_modules())
    sites = []
    for stage in (1, 2, 3):
        found = [
            name for name in (form.format(stage) for form in DOWN_SAMPLING)
            if _ends_in_norm(modules.get(name))
        ]
        if found:
            sites.append((found[0], norm_of(modules[found[0]]).num_features))
    if len(sites) != 3:
        raise ValueError(
            f'{type(backbone).__name__} has no places known to control by '
            'lambda: take GridVisionTransformer, or starnet_* or tiny_vit_* '
            'by StrideMapBackbone')
    return sites


def norm_of(site: Optional[nn.Module]) -> Optional[nn.BatchNorm2d]:
    """The BatchNorm that ends a down-sampling, or None."""
    last = list(site.modules())[-1] if site is not None else None
    return last if isinstance(last, nn.modules.batchnorm._BatchNorm) else None


def _ends_in_norm(site: Optional[nn.Module]) -> bool:
    return norm_of(site) is not None


class SemanticMixin:
    """Adds controllers to an encoder; hooks on the backbone apply them.

    The backbone and its keys stay as they are, the controllers are beside it.
    """

    def add_controllers(self, semantic_weight: float) -> None:
        """To be called once the backbone is there."""
        if not 0 <= semantic_weight <= 1:
            raise ValueError('semantic_weight must be from 0 (looks) to 1 '
                             f'(parts), got {semantic_weight}')
        self.semantic_weight = semantic_weight
        self.sites = controlled_sites(self.backbone)
        self.controllers = nn.ModuleList(
            SemanticController(width) for _, width in self.sites)
        self._told: Optional[Tensor] = None
        modules = dict(self.backbone.named_modules())
        for index, (name, _) in enumerate(self.sites):
            modules[name].register_forward_hook(partial(self._control, index))

    def _control(self, index: int, module: nn.Module, args, out: Tensor):
        if self._told is None:  # a probe of the backbone alone
            return None
        gain, shift = (
            t.to(out)[(..., *(None, ) * (out.ndim - 2))]
            for t in self.controllers[index].affine(self._told))
        if out.ndim == 3:  # tokens (B, N, C), not a map (B, C, h, w)
            gain, shift = gain.transpose(1, 2), shift.transpose(1, 2)
        return out * gain + shift

    def forward(self,
                x: Tensor,
                mask: Optional[Tensor] = None,
                tokens: Collection[str] = ('image', 'inner'),
                condition: Optional[Tensor] = None) -> Tokens:
        """See :meth:`Encoder.forward`.

        Args:
            x (Tensor): ``(B, 3, H, W)`` normalised images.
            mask (Tensor, optional): As there.
            tokens (Collection[str]): As there.
            condition (Tensor, optional): ``(B, )`` lambda in [0, 1]. Defaults
                to ``semantic_weight`` for all.
        """
        if condition is None:
            condition = x.new_full((len(x), ), self.semantic_weight)
        self._told = condition
        try:
            return super().forward(x, mask, tokens)
        finally:
            self._told = None


class SemanticPlainEncoder(SemanticMixin, PlainEncoder):
    """A plain vision transformer with controllers, see
    :func:`semantic_encoder`."""

    def __init__(self, *args, semantic_weight: float = 0.2, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.add_controllers(semantic_weight)


class SemanticMapEncoder(SemanticMixin, MapEncoder):
    """A hierarchical backbone with controllers, see
    :func:`semantic_encoder`."""

    def __init__(self, *args, semantic_weight: float = 0.2, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.add_controllers(semantic_weight)


@MODELS.register_module(name='SemanticEncoder')
def semantic_encoder(backbone: dict,
                     patch_index: int = 6,
                     semantic_weight: float = 0.2,
                     **kwargs) -> Encoder:
    """An encoder that is told lambda, for each picture, as SOLIDER's is.

    Gains and shifts of channels follow lambda behind the down-sampling of
    stages 2, 3 and 4, in a plain transformer behind blocks 3, 6 and 9 of 12
    (ours). At a constant lambda they are an affine map, which
    ``publish_model.py`` writes into the backbone.

    Args:
        backbone (dict): Config of a backbone in mmpretrain's registry.
        patch_index (int): As of :class:`PlainEncoder`.
        semantic_weight (float): Lambda where none is told, from 0 (looks) to
            1 (parts). Defaults to 0.2, SOLIDER's of re-identification.
        **kwargs: Of :class:`PlainEncoder` or :class:`MapEncoder`.
    """
    kwargs.update(semantic_weight=semantic_weight)
    if is_plain(backbone):
        return SemanticPlainEncoder(backbone, patch_index, **kwargs)
    return SemanticMapEncoder(backbone, **kwargs)
