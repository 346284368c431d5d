"""What a person's map gets to see: wider windows, and every other place."""
from typing import Optional, Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn


class ParallelContext(BaseModule):
    """Convolutions of several dilations side by side, and the mean.

    Branches: 1x1, one 3x3 a dilation, and the global average spread over the
    map; each with ReLU, then joined by 1x1 with ReLU.

    Args:
        in_channels (int): Width of the input.
        branch_channels (int): Width of each branch.
        out_channels (int): Width of the output.
        dilations (Sequence[int]): Of the 3x3 convolutions.
        norm_cfg (dict, optional): Of all convolutions but the mean's, whose
            map is of one place. Defaults to None: without norms.
        init_cfg (dict, optional): Initialization config.

    Source:
        Chen et al., "Rethinking Atrous Convolution for Semantic Image
        Segmentation", as Parsing R-CNN has it: without norms.
    """

    def __init__(self,
                 in_channels: int,
                 branch_channels: int,
                 out_channels: int,
                 dilations: Sequence[int] = (6, 12, 18),
                 norm_cfg: Optional[dict] = None,
                 init_cfg=None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.point = ConvModule(
            in_channels, branch_channels, 1, norm_cfg=norm_cfg)
        self.dilated = nn.ModuleList(
            ConvModule(
                in_channels,
                branch_channels,
                3,
                padding=d,
                dilation=d,
                norm_cfg=norm_cfg) for d in dilations)
        self.average = ConvModule(in_channels, branch_channels, 1)
        branches = 2 + len(self.dilated)
        self.join = ConvModule(
            branches * branch_channels, out_channels, 1, norm_cfg=norm_cfg)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, h, w)`` to ``(N, out_channels, h, w)``."""
        mean = self.average(F.adaptive_avg_pool2d(x, 1))
        branches = [self.point(x)]
        branches += [branch(x) for branch in self.dilated]
        branches.append(mean.expand(-1, -1, *x.shape[2:]))
        return self.join(torch.cat(branches, 1))


class PooledNonLocal(BaseModule):
    """Every place looks at every other, at half the resolution.

    y = x + GroupNorm(W softmax(q k^T / sqrt(C)) v), where q is made of x, k
    and v of x max-pooled by 2, all by 1x1 convolutions of C channels.
    ``mmcv.cnn.NonLocal2d`` pools after its convolutions, and has its norm
    elsewhere.

    Args:
        channels (int): C, a multiple of ``num_groups``.
        num_groups (int): Of the norm. Defaults to 32.
        init_cfg (dict, optional): Initialization config.

    Source:
        Wang et al., "Non-local Neural Networks", as Parsing R-CNN has it.
    """

    def __init__(
        self,
        channels: int,
        num_groups: int = 32,
        init_cfg=dict(type='Normal', layer='Conv2d', std=0.01)
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        self.norm = nn.GroupNorm(num_groups, channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, h, w)`` to the same shape."""
        pooled = F.max_pool2d(x, 2)
        tokens = [
            # (N, 1, places, C): without the 1 ONNX has no such attention
            layer(source).flatten(2).transpose(1, 2).unsqueeze(1)
            for layer, source in ((self.query, x), (self.key, pooled),
                                  (self.value, pooled))
        ]
        seen = F.scaled_dot_product_attention(*tokens)
        seen = seen.squeeze(1).transpose(1, 2).reshape(x.shape)
        return x + self.norm(self.out(seen))
