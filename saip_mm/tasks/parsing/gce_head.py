from typing import Optional, Sequence

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from .context import ParallelContext, PooledNonLocal
from .parts import NUM_PARTS


@MODELS.register_module()
class GCEParsingHead(BaseModule):
    """Parts of a person from the features of its box ("geometric and context
    encoding").

    Context of several dilations, a non-local block, 3x3 convolutions with
    ReLU, a transposed convolution to one map a part at twice
    the size, and bilinear resizing to ``out_size``.

    Args:
        num_parts (int): K, with the background. Defaults to 20.
        in_channels (int): Width of the features. Defaults to 256.
        conv_channels (int): Width from the context on, a multiple of 32.
            Defaults to 512.
        aspp_channels (int): Width of each branch of the context. Defaults to
            256.
        num_convs (int): 3x3 convolutions. Defaults to 4.
        dilations (Sequence[int]): Of the context. Defaults to (6, 12, 18).
        with_non_local (bool): Whether there is that block. Defaults to True.
        norm_cfg (dict, optional): Of the convolutions before the transposed
            one. Defaults to None: without norms, as in the paper.
        roi_feat_size (int): Side of the features, as the extractor's
            ``output_size``. Defaults to 32.
        out_size (int): Side S of the maps. Defaults to 128.
        loss_parsing (dict): Config of the loss over ``(n, K, S, S)``.
            Defaults to cross entropy over all pixels, background included,
            with weight 2.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If ``conv_channels`` is no multiple of 32 although there
            is a non-local block.

    Source:
        Yang et al., "Parsing R-CNN for Instance-Level Human Analysis".
    """

    def __init__(
        self,
        num_parts: int = NUM_PARTS,
        in_channels: int = 256,
        conv_channels: int = 512,
        aspp_channels: int = 256,
        num_convs: int = 4,
        dilations: Sequence[int] = (6, 12, 18),
        with_non_local: bool = True,
        norm_cfg: Optional[dict] = None,
        roi_feat_size: int = 32,
        out_size: int = 128,
        loss_parsing: dict = dict(type='CrossEntropyLoss', loss_weight=2.0),
        init_cfg=dict(type='Kaiming', layer='ConvTranspose2d', mode='fan_out')
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if with_non_local and conv_channels % 32:
            raise ValueError(
                f'conv_channels={conv_channels}: the non-local block norms 32 '
                'groups of channels; take a multiple of 32 or '
                'with_non_local=False')
        self.num_parts = num_parts
        self.roi_feat_size = roi_feat_size
        self.out_size = out_size
        self.context = ParallelContext(in_channels, aspp_channels,
                                       conv_channels, dilations, norm_cfg)
        self.non_local = (
            PooledNonLocal(conv_channels) if with_non_local else nn.Identity())
        self.convs = nn.Sequential(*(ConvModule(
            conv_channels, conv_channels, 3, padding=1, norm_cfg=norm_cfg)
                                     for _ in range(num_convs)))
        self.upsample = nn.ConvTranspose2d(
            conv_channels, num_parts, 4, stride=2, padding=1)
        self.loss_parsing = MODELS.build(loss_parsing)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the parts.

        Args:
            x (Tensor): ``(n, C, roi_feat_size, roi_feat_size)`` features.

        Returns:
            Tensor: ``(n, K, S, S)`` logits.
        """
        x = self.convs(self.non_local(self.context(x)))
        return F.interpolate(
            self.upsample(x),
            size=(self.out_size, self.out_size),
            mode='bilinear',
            align_corners=False)

    def loss(self, logits: Tensor, targets: Tensor) -> dict:
        """Loss of a batch.

        Args:
            logits (Tensor): ``(n, K, S, S)``.
            targets (Tensor): ``(n, S, S)`` int64 parts.

        Returns:
            dict[str, Tensor]: ``loss_parsing``.
        """
        return dict(loss_parsing=self.loss_parsing(logits, targets))

    def no_loss(self) -> dict:
        """A loss of 0 where there is nobody.

        It depends on all parameters: other processes of a distributed run
        have somebody, and wait for their gradients.

        Returns:
            dict[str, Tensor]: ``loss_parsing``.
        """
        return dict(loss_parsing=sum(p.sum() for p in self.parameters()) * 0)
