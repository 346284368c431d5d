from typing import Dict, List, NamedTuple, Optional, Sequence

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.losses import accuracy
from mmseg.registry import MODELS
from torch import Tensor

from .edges import edge_targets
from .modules import ContextModule, EdgeBranch, PartDecoder, enlarge
from .refined import refine


class PartMaps(NamedTuple):
    """What the branches say, in the size of the finest map.

    Attributes:
        fusion (Tensor): ``(B, K, h, w)`` logits of parts, the result.
        decoder (Tensor): ``(B, K, h, w)`` logits of parts, without edges.
        edge (Tensor): ``(B, 2, h, w)`` logits of no edge and edge.
    """
    fusion: Tensor
    decoder: Tensor
    edge: Tensor


LOSSES = (dict(type='RefinableCrossEntropy', loss_weight=0.5),
          dict(type='LovaszSoftmaxLoss', loss_weight=0.5))


@MODELS.register_module()
class ACE2PHead(BaseDecodeHead):
    """A-CE2P: parts from context and detail, checked against their edges.

    Context comes from the last of the maps, edges from the first three,
    detail from the first, whose size the result has. The fusion of the
    decoder's and the edge branch's features is the result.

    Args:
        in_channels (Sequence[int]): Of the maps, finest first; three at
            least.
        channels (int): Of decoder and fusion. Defaults to 256.
        context_channels (int): Of the context. Defaults to 512.
        edge_channels (int): Of the edge branch, a map. Defaults to 192.
        low_channels (int): To which the first map is brought. Defaults to
            32.
        pool_scales (Sequence[int]): Of the context. Defaults to 1, 2, 3, 6.
        loss_decode (Sequence[dict]): Losses of both decoder and fusion.
            Defaults to half cross entropy, half Lovász-softmax.
        loss_edge (dict): Of the edges. Defaults to ``BalancedEdgeLoss``.
        loss_consistency (dict): Between parts and edges. Defaults to 0.1 of
            ``EdgeConsistencyLoss``.
        edge_width (int): Of the labels' edges. Defaults to 3 pixels.
        num_classes (int): K.
        **kwargs: Arguments of ``BaseDecodeHead``.

    Raises:
        ValueError: If there are fewer than three maps.

    Source:
        Ruan et al., "Devil in the Details" (CE2P), with the losses of Li et
        al., "Self-Correction for Human Parsing", in the widths of SAIP's
        authors.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 channels: int = 256,
                 context_channels: int = 512,
                 edge_channels: int = 192,
                 low_channels: int = 32,
                 pool_scales: Sequence[int] = (1, 2, 3, 6),
                 loss_decode: Sequence[dict] = LOSSES,
                 loss_edge: dict = dict(type='BalancedEdgeLoss'),
                 loss_consistency: dict = dict(type='EdgeConsistencyLoss'),
                 edge_width: int = 3,
                 **kwargs) -> None:
        if len(in_channels) < 3:
            raise ValueError(
                f'A-CE2P needs three maps or more, got {len(in_channels)} '
                f'in_channels, {list(in_channels)}: set the out_indices of '
                'the backbone')
        super().__init__(
            in_channels=list(in_channels),
            channels=channels,
            in_index=list(range(len(in_channels))),
            input_transform='multiple_select',
            loss_decode=list(loss_decode),
            **kwargs)
        convs = dict(norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.context = ContextModule(in_channels[-1], context_channels,
                                     pool_scales, **convs)
        self.edge = EdgeBranch(in_channels[:3], edge_channels, **convs)
        self.decoder = PartDecoder(context_channels, in_channels[0],
                                   low_channels, channels, self.num_classes,
                                   **convs)
        self.fusion = ConvModule(channels + 3 * edge_channels, channels, 1,
                                 **convs)
        self.loss_edge = MODELS.build(loss_edge)
        self.loss_consistency = MODELS.build(loss_consistency)
        self.edge_width = edge_width

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Maps -> ``(B, K, h, w)`` logits of the fusion."""
        return self.forward_branches(inputs).fusion

    def forward_branches(self, inputs: Sequence[Tensor]) -> PartMaps:
        """What each branch says.

        Args:
            inputs (Sequence[Tensor]): ``(B, C, ., .)``, as ``in_channels``.
        """
        maps = self._transform_inputs(inputs)
        edge, edge_features = self.edge(maps[:3])
        decoded, features = self.decoder(self.context(maps[-1]), maps[0])
        fused = self.fusion(torch.cat([features, edge_features], 1))
        return PartMaps(self.cls_seg(fused), decoded, edge)

    def loss(self,
             inputs: Sequence[Tensor],
             batch_data_samples: List,
             train_cfg: Optional[dict] = None,
             average: Optional[PartMaps] = None,
             count: int = 0) -> Dict[str, Tensor]:
        """Losses of all branches, in the size of the labels.

        Args:
            inputs (Sequence[Tensor]): Maps.
            batch_data_samples (list): With ``gt_sem_seg`` of one size.
            train_cfg (dict, optional): Not used.
            average (PartMaps, optional): What an average of ``count`` earlier
                weights says of the same pictures; it refines the labels.
            count (int): See there.

        Returns:
            dict[str, Tensor]: ``loss_<branch>_<loss>`` of decoder and fusion
            (``pixel`` is the cross entropy or, with refined labels, the
            divergence), ``loss_edge``, ``loss_consistency``, ``acc_seg``.
        """
        label = self._stack_batch_gt(batch_data_samples).squeeze(1)
        edge = edge_targets(label, self.edge_width, self.ignore_index)
        found = _enlarged(self.forward_branches(inputs), label)
        refined_label = refined_edge = None
        if average is not None:
            average = _enlarged(average, label)
            refined_label = refine(average.fusion, label, count)
            refined_edge = refine(average.edge, edge, count)
        losses = {
            f'loss_{branch}_{loss.loss_name}':
            loss(
                getattr(found, branch),
                label,
                refined_label,
                ignore_index=self.ignore_index)
            for branch in ('fusion', 'decoder')
            for loss in self.loss_decode
        }
        losses['loss_edge'] = self.loss_edge(
            found.edge, edge, refined_edge, ignore_index=self.ignore_index)
        losses['loss_consistency'] = self.loss_consistency(
            found.fusion, found.edge, label, ignore_index=self.ignore_index)
        losses['acc_seg'] = accuracy(
            found.fusion, label, ignore_index=self.ignore_index)
        return losses


def _enlarged(maps: PartMaps, label: Tensor) -> PartMaps:
    return PartMaps(*(enlarge(x, label.shape[-2:]) for x in maps))
