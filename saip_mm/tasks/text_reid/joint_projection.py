"""Tokens of a picture in the space shared with sentences."""
from typing import Optional, Sequence, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.registry import MODELS


@MODELS.register_module()
class JointProjection(BaseModule):
    """Project what a backbone gives: a vector of the picture, then its parts.

    Of a transformer with ``out_type='raw'`` class token and patches; of a
    backbone of maps the average of the last one and the cells of it, or of an
    earlier one.

    Args:
        in_channels (int): D of the tokens or of the last map.
        out_channels (int): Of the shared space. Defaults to 512.
        norm (bool): Whether a LayerNorm comes before; for transformers,
            which have one, and as SAIP's authors have it, not. Defaults to
            False.
        part_index (int): Which of the backbone's outputs gives the parts.
            Defaults to -1, that which gives the vector.
        part_channels (int, optional): Its channels, for a norm and projection
            of its own. Defaults to None: those of the vector.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If the parts come from another output whose channels are
            not given.

    Source:
        The last projection of CLIP's image half, as IRRA applies it to every
        token. Start: normal, ``in_channels**-0.5``.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int = 512,
                 norm: bool = False,
                 part_index: int = -1,
                 part_channels: Optional[int] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if part_index != -1 and part_channels is None:
            raise ValueError(f'part_index={part_index} names another output '
                             'than the last: give its channels by '
                             'part_channels')
        self.part_index = part_index
        self.out_channels = out_channels
        self.project = _projection(in_channels, out_channels, norm)
        self.project_parts = None
        if part_channels is not None:
            self.project_parts = _projection(part_channels, out_channels, norm)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Project the outputs of a backbone.

        Args:
            features (Sequence[Tensor]): Each tokens ``(B, 1 + L, C)``, the
                class token first, or a map ``(B, C, h, w)``.

        Returns:
            Tensor: ``(B, 1 + L, D)``, the vector of the picture first.
        """
        whole = _tokens(features[-1])
        if self.project_parts is None:
            return self.project(whole)
        parts = _tokens(features[self.part_index])[:, 1:]
        return torch.cat(
            (self.project(whole[:, :1]), self.project_parts(parts)), 1)


def _projection(width: int, out_channels: int,
                norm: bool) -> Union[nn.Linear, nn.Sequential]:
    linear = nn.Linear(width, out_channels, bias=False)
    nn.init.normal_(linear.weight, std=width**-0.5)
    return nn.Sequential(nn.LayerNorm(width), linear) if norm else linear


def _tokens(feature: Tensor) -> Tensor:
    """``(B, 1 + L, C)`` of tokens, or of a map and its average."""
    if feature.dim() == 3:
        return feature
    cells = feature.flatten(2).transpose(1, 2)
    return torch.cat((cells.mean(1, keepdim=True), cells), 1)
