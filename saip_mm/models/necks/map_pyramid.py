"""Maps at strides 4 to 32 for a top-down FPN, as SAIP's authors make them.

Each goes before it, ``neck=[dict(type='mmpretrain.MapPyramid', ...),
dict(type='FPN', ...)]``.
"""
from typing import Sequence, Tuple

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.registry import MODELS


@MODELS.register_module()
class MapPyramid(BaseModule):
    """Four maps from the one map of a plain transformer.

    Of width d at stride 16: d/4 at stride 4 (two transposed convolutions, a
    BatchNorm and GELU between them), d/2 at 8 (one), d at 16 (the map
    itself), d at 32 (a convolution of 3x3). Unlike :class:`SimpleFPN` it
    brings nothing to one width, and has no norms of its own behind: that is
    the FPN's work.

    Args:
        in_channels (int): Width d of the map, a multiple of 4.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If the width is no multiple of 4.

    Source:
        The authors' later code for detection and part attributes.

    Example:
        >>> import torch
        >>> [tuple(m.shape) for m in MapPyramid(8)([torch.ones(1, 8, 4, 2)])]
        [(1, 2, 16, 8), (1, 4, 8, 4), (1, 8, 4, 2), (1, 8, 2, 1)]
    """

    def __init__(self, in_channels: int, init_cfg=None) -> None:
        super().__init__(init_cfg=init_cfg)
        if in_channels < 4 or in_channels % 4:
            raise ValueError(f'MapPyramid halves the width twice, got '
                             f'in_channels={in_channels}: a multiple of 4')
        half, quarter = in_channels // 2, in_channels // 4
        self.stride_4 = nn.Sequential(
            nn.ConvTranspose2d(in_channels, half, 2, stride=2),
            nn.BatchNorm2d(half), nn.GELU(),
            nn.ConvTranspose2d(half, quarter, 2, stride=2))
        self.stride_8 = nn.ConvTranspose2d(in_channels, half, 2, stride=2)
        self.stride_32 = halving(in_channels)

    def forward(self, maps: Sequence[Tensor]) -> Tuple[Tensor, ...]:
        """Make the four maps, finest first.

        Args:
            maps (Sequence[Tensor]): Outputs of a backbone; the last,
                ``(B, d, h, w)``, is used.

        Returns:
            tuple[Tensor]: ``(B, d/4, 4h, 4w)``, ``(B, d/2, 2h, 2w)``,
            ``(B, d, h, w)``, ``(B, d, h/2, w/2)``, rounded up.
        """
        last = maps[-1]
        return (self.stride_4(last), self.stride_8(last), last,
                self.stride_32(last))


@MODELS.register_module()
class HalveLastMap(BaseModule):
    """The last map at half its size, by a convolution of 3x3.

    A backbone whose last stage stays at stride 16 (``StrideMapBackbone(
    last_stride=1)``) so gives a map of stride 32 in its place.

    Args:
        channels (int): Of the last map.
        init_cfg (dict, optional): Initialization config.

    Source:
        The authors' later code for detection and part attributes, behind
        their StarNet.

    Example:
        >>> import torch
        >>> maps = torch.ones(1, 4, 8, 8), torch.ones(1, 8, 5, 8)
        >>> [tuple(m.shape) for m in HalveLastMap(8)(maps)]
        [(1, 4, 8, 8), (1, 8, 3, 4)]
    """

    def __init__(self, channels: int, init_cfg=None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.conv = halving(channels)

    def forward(self, maps: Sequence[Tensor]) -> Tuple[Tensor, ...]:
        """``(..., (B, C, h, w))`` -> ``(..., (B, C, h/2, w/2))``, rounded
        up; the other maps stay."""
        *maps, last = maps
        return (*maps, self.conv(last))


def halving(channels: int) -> nn.Conv2d:
    """A convolution of 3x3 and stride 2, with bias, of as many channels."""
    return nn.Conv2d(channels, channels, 3, stride=2, padding=1)
