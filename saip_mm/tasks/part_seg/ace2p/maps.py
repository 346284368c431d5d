from typing import Optional, Sequence, Tuple

from mmengine.model import BaseModule
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmpretrain.models.utils import build_norm_layer


@MODELS.register_module()
class MapNormNeck(BaseModule):
    """Normalises and enlarges a backbone's maps, each in its own way.

    Args:
        in_channels (Sequence[int]): Width of each map.
        norm_cfgs (Sequence[dict | None]): Norm of each map, in mmpretrain's
            registry; None leaves it as it is.
        scales (Sequence[float]): Factor by which each is enlarged, bilinear.

    Raises:
        ValueError: If the three are not equally many.

    Source:
        SAIP's authors have a fresh norm behind the blocks 4, 8 and 12 of a
        plain transformer, in the stream itself, so that the next block no
        longer gets what it was pretrained on. Here the blocks keep their
        stream, and only what leaves it is normalised.
    """

    def __init__(self, in_channels: Sequence[int],
                 norm_cfgs: Sequence[Optional[dict]],
                 scales: Sequence[float]) -> None:
        super().__init__()
        if not len(in_channels) == len(norm_cfgs) == len(scales):
            raise ValueError(
                f'MapNormNeck has {len(in_channels)} in_channels, '
                f'{len(norm_cfgs)} norm_cfgs and {len(scales)} scales: give '
                'one of each a map')
        self.norms = nn.ModuleList(
            build_norm_layer(cfg, width) if cfg else nn.Identity()
            for cfg, width in zip(norm_cfgs, in_channels))
        self.scales = scales

    def forward(self, maps: Sequence[Tensor]) -> Tuple[Tensor, ...]:
        """``(B, C, h, w)`` each -> ``(B, C, scale * h, scale * w)`` each."""
        normed = (norm(x) for norm, x in zip(self.norms, maps))
        return tuple(map(_scaled, normed, self.scales))


def _scaled(x: Tensor, factor: float) -> Tensor:
    if factor == 1:
        return x
    return resize(x, scale_factor=factor, mode='bilinear', align_corners=False)
