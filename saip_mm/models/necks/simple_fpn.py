from typing import Sequence, Tuple

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.models.utils import build_norm_layer
from mmpretrain.registry import MODELS

SCALES = (4, 2, 1, 0.5)


@MODELS.register_module()
class SimpleFPN(BaseModule):
    """A feature pyramid from the one map of a plain transformer.

    Each scale is made from that same map: transposed convolutions enlarge
    it, max pooling halves it (rounding down: pad images to a multiple of
    32); a 1x1 and a 3x3 convolution with norms bring it to ``out_channels``.
    Coarser levels beyond the scales subsample the last. With a map of stride
    16: strides 4, 8, 16, 32, 64.

    Any library names it as ``mmpretrain.SimpleFPN``.

    Args:
        in_channels (int): Width d of the map.
        out_channels (int): Width of every level. Defaults to 256.
        scales (Sequence[float]): Size of each level relative to the map, of
            4, 2, 1 and 0.5. Defaults to all four.
        num_outs (int): Levels, at least as many as scales. Defaults to 5.
        norm_cfg (dict): Norm over channels, in mmpretrain's registry.
            Defaults to LN2d with eps 1e-6.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If a scale is unknown, or there are more scales than
            levels.

    Source:
        Li et al., "Exploring Plain Vision Transformer Backbones for Object
        Detection", section 3, and detectron2's projects/ViTDet.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int = 256,
                 scales: Sequence[float] = SCALES,
                 num_outs: int = 5,
                 norm_cfg: dict = dict(type='LN2d', eps=1e-6),
                 init_cfg=None) -> None:
        super().__init__(init_cfg=init_cfg)
        unknown = [scale for scale in scales if scale not in SCALES]
        if unknown or not 1 <= len(scales) <= num_outs:
            raise ValueError(
                f'SimpleFPN makes scales of {SCALES} and at least as many '
                f'levels, got scales={tuple(scales)}, num_outs={num_outs}')
        self.num_outs = num_outs
        self.levels = nn.ModuleList(
            nn.Sequential(
                *_resample(in_channels, scale, norm_cfg),
                *_project(in_channels, scale, out_channels, norm_cfg))
            for scale in scales)

    def forward(self, maps: Sequence[Tensor]) -> Tuple[Tensor, ...]:
        """Make the levels, finest first.

        Args:
            maps (Sequence[Tensor]): Outputs of a backbone; the last,
                ``(B, d, h, w)``, is used.

        Returns:
            tuple[Tensor]: ``num_outs`` maps ``(B, out_channels, ., .)``.
        """
        levels = [level(maps[-1]) for level in self.levels]
        while len(levels) < self.num_outs:
            levels.append(F.max_pool2d(levels[-1], 1, stride=2))
        return tuple(levels)


def _resample(width: int, scale: float, norm_cfg: dict) -> list:
    if scale == 1:
        return []
    if scale == 0.5:
        return [nn.MaxPool2d(2)]
    layers = [nn.ConvTranspose2d(width, width // 2, 2, stride=2)]
    if scale == 4:
        layers += [
            build_norm_layer(norm_cfg, width // 2),
            nn.GELU(),
            nn.ConvTranspose2d(width // 2, width // 4, 2, stride=2)
        ]
    return layers


def _project(width: int, scale: float, out: int, norm_cfg: dict) -> list:
    width = int(width / max(scale, 1))
    return [
        nn.Conv2d(width, out, 1, bias=False),
        build_norm_layer(norm_cfg, out),
        nn.Conv2d(out, out, 3, padding=1, bias=False),
        build_norm_layer(norm_cfg, out)
    ]
