from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor

from mmpretrain.models.heads import MultiLabelLinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from saip_mm.models.finite import check_finite_losses


@MODELS.register_module()
class AttributeHead(MultiLabelLinearClsHead):
    """A linear layer that says which attributes a person has.

    As mmpretrain's, with the field's decision: an attribute is there if its
    probability is greater than ``thr``, and not where it is equal. Where
    labels are known, the loss of each picture is predicted as well, as
    ``loss``: the learning rate follows it.

    Args:
        num_classes (int): M, the attributes.
        in_channels (int): Width of the feature.
        loss (dict): Defaults to ``dict(type='LabelRatioLoss')``.
        thr (float): Defaults to 0.5.
        init_cfg (dict, optional): Defaults to None, PyTorch's start, which
            the field's baseline has.

    Source:
        The baseline of "Rethinking of PAR" (valencebond/Rethinking_of_PAR @
        0baa462).
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 loss: dict = dict(type='LabelRatioLoss'),
                 thr: float = 0.5,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(
            num_classes, in_channels, loss, thr=thr, init_cfg=init_cfg)

    def loss(self, feats: Tuple[Tensor], data_samples: List[DataSample],
             **kwargs) -> Dict[str, Tensor]:
        """Stop at a loss that is not finite; else mmpretrain's."""
        losses = super().loss(feats, data_samples, **kwargs)
        check_finite_losses(losses)
        return losses

    def _get_predictions(
            self,
            cls_score: Tensor,
            data_samples: Optional[List[DataSample]] = None
    ) -> List[DataSample]:
        """``pred_score`` ``(M, )``, ``pred_label`` (numbers), ``loss``."""
        cls_score = cls_score.float()
        scores = torch.sigmoid(cls_score)
        if data_samples is None:
            data_samples = [DataSample() for _ in scores]
        losses = self._losses(cls_score, data_samples)
        for place, (sample, score) in enumerate(zip(data_samples, scores)):
            sample.set_pred_score(score)
            sample.set_pred_label(torch.where(score > self.thr)[0])
            if losses is not None:
                sample.set_field(losses[place], 'loss', dtype=Tensor)
        return data_samples

    def _losses(self, logits: Tensor,
                data_samples: List[DataSample]) -> Optional[Tensor]:
        labelled = all('gt_score' in sample for sample in data_samples)
        if not labelled or not getattr(self.loss_module, 'is_ready', False):
            return None
        target = torch.stack([sample.gt_score for sample in data_samples])
        return self.loss_module.per_image(logits, target.to(logits))
