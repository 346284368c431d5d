"""The four parts of A-CE2P; none of them knows labels or losses."""
from typing import List, Sequence, Tuple

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.decode_heads.psp_head import PPM
from mmseg.models.utils import resize
from torch import Tensor, nn


def enlarge(x: Tensor, size: Sequence[int]) -> Tensor:
    """Resize maps ``(B, C, h, w)`` to ``(B, C, *size)``, bilinear."""
    return resize(x, size=tuple(size), mode='bilinear', align_corners=False)


class ContextModule(BaseModule):
    """Pyramid pooling over the last map (PSP).

    Args:
        in_channels (int): Of the map.
        channels (int): Of each pooled map, and of the result.
        pool_scales (Sequence[int]): Cells a side of the pooled maps.
        **convs: ``norm_cfg`` and ``act_cfg`` of the convolutions.
    """

    def __init__(self, in_channels: int, channels: int,
                 pool_scales: Sequence[int], **convs) -> None:
        super().__init__()
        self.pools = PPM(
            pool_scales,
            in_channels,
            channels,
            conv_cfg=None,
            align_corners=False,
            **convs)
        self.bottleneck = ConvModule(
            in_channels + len(pool_scales) * channels,
            channels,
            3,
            padding=1,
            **convs)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, in_channels, h, w)`` -> ``(B, channels, h, w)``"""
        return self.bottleneck(torch.cat([x, *self.pools(x)], 1))


class EdgeBranch(BaseModule):
    """Where one part ends and another begins, told from several maps.

    Each map is brought to ``channels`` by a 1x1 convolution of its own; one
    3x3 convolution that all share makes two channels of it, no edge and edge;
    at the size of the first map these are fused to two.

    Args:
        in_channels (Sequence[int]): Of the maps, finest first.
        channels (int): Of the features, a map.
        **convs: ``norm_cfg`` and ``act_cfg`` of the convolutions.
    """

    def __init__(self, in_channels: Sequence[int], channels: int,
                 **convs) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(
            ConvModule(width, channels, 1, **convs) for width in in_channels)
        self.conv_edge = nn.Conv2d(channels, 2, 3, padding=1)
        self.fuse_edge = nn.Conv2d(2 * len(in_channels), 2, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tuple[Tensor, Tensor]:
        """Edges, and the features that they were told from.

        Args:
            maps (Sequence[Tensor]): ``(B, C, ., .)``, as ``in_channels``.

        Returns:
            tuple[Tensor]: Logits ``(B, 2, h, w)`` and features
            ``(B, maps * channels, h, w)``, in the size of the first map.
        """
        size = maps[0].shape[-2:]
        features: List[Tensor] = [
            lateral(x) for lateral, x in zip(self.lateral, maps)
        ]
        edges = [enlarge(self.conv_edge(x), size) for x in features]
        features = [enlarge(x, size) for x in features]
        return self.fuse_edge(torch.cat(edges, 1)), torch.cat(features, 1)


class PartDecoder(BaseModule):
    """Parts from the context, enlarged, beside the finest map.

    Args:
        context_channels (int): Of the context.
        in_channels (int): Of the finest map.
        low_channels (int): To which a 1x1 convolution brings that.
        channels (int): Of the features.
        num_classes (int): Of the logits.
        **convs: ``norm_cfg`` and ``act_cfg`` of the convolutions.
    """

    def __init__(self, context_channels: int, in_channels: int,
                 low_channels: int, channels: int, num_classes: int,
                 **convs) -> None:
        super().__init__()
        self.reduce = ConvModule(context_channels, channels, 1, **convs)
        self.low = ConvModule(in_channels, low_channels, 1, **convs)
        self.mix = nn.Sequential(
            ConvModule(channels + low_channels, channels, 1, **convs),
            ConvModule(channels, channels, 1, **convs))
        self.conv_seg = nn.Conv2d(channels, num_classes, 1)

    def forward(self, context: Tensor, low: Tensor) -> Tuple[Tensor, Tensor]:
        """Logits ``(B, K, h, w)`` and features, in the size of ``low``."""
        context = enlarge(self.reduce(context), low.shape[-2:])
        features = self.mix(torch.cat([context, self.low(low)], 1))
        return self.conv_seg(features), features
