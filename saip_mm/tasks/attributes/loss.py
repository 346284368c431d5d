from typing import Optional, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from .label_table import UNLABELLED


@MODELS.register_module()
class LabelRatioLoss(nn.Module):
    """Binary cross entropy that weighs rare attributes more.

    With r the share of training pictures that have an attribute, a picture
    which has it weighs exp(1 - r), one which has not exp(r). Summed over
    attributes, averaged over pictures.

    Args:
        label_ratio (Sequence[float], optional): ``(M, )``, r of each.
            Defaults to None: ``AttributeCountHook`` takes them from the
            training data.
        weighted (bool): Whether to weigh at all. Defaults to True.
        loss_weight (float): Defaults to 1.0.

    Source:
        The baseline of "Rethinking of PAR" (valencebond/Rethinking_of_PAR @
        0baa462). mmpretrain's ``CrossEntropyLoss(use_sigmoid=True)`` with
        ``class_weight`` exp(r) and ``pos_weight`` exp(1 - 2 r) has the same
        values; unlabelled attributes it cannot leave out.

    Example:
        >>> loss = LabelRatioLoss([0.5, 0.25])
        >>> loss.weights(torch.tensor([[1., 0.], [0., 1.], [-1., 1.]]))
        tensor([[1.6487, 1.2840],
                [1.6487, 2.1170],
                [0.0000, 2.1170]])
    """

    def __init__(self,
                 label_ratio: Optional[Sequence[float]] = None,
                 weighted: bool = True,
                 loss_weight: float = 1.0) -> None:
        super().__init__()
        self.label_ratio = label_ratio
        self.weighted = weighted
        self.loss_weight = loss_weight

    @property
    def is_ready(self) -> bool:
        """Whether there is all that is needed."""
        return self.label_ratio is not None or not self.weighted

    def weights(self, target: Tensor) -> Tensor:
        """Weight of each label.

        Args:
            target (Tensor): ``(N, M)`` float: 1, 0, soft labels between, or
                -1 where nobody said.

        Returns:
            Tensor: ``(N, M)``, 0 where nobody said.

        Raises:
            RuntimeError: If there is no ratio, or one of other attributes.
        """
        known = (target != UNLABELLED).to(target.dtype)
        if not self.weighted:
            return known
        if self.label_ratio is None:
            raise RuntimeError(
                'label_ratio is not set: custom_hooks=[dict(type='
                "'AttributeCountHook')] takes it from the training data")
        if len(self.label_ratio) != target.shape[1]:
            raise RuntimeError(
                f'label_ratio has {len(self.label_ratio)} entries, the head '
                f'has {target.shape[1]}')
        ratio = torch.as_tensor(
            self.label_ratio, dtype=torch.float64, device=target.device)
        positive = torch.exp(1 - ratio).to(target.dtype)
        negative = torch.exp(ratio).to(target.dtype)
        return torch.where(target > 0.5, positive, negative) * known

    def per_image(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of each picture.

        Args:
            logits (Tensor): ``(N, M)``.
            target (Tensor): ``(N, M)``, see :meth:`weights`.

        Returns:
            Tensor: ``(N, )`` float32.
        """
        logits, target = logits.float(), target.float()
        losses = F.softplus(logits) - target * logits
        return self.loss_weight * (self.weights(target) * losses).sum(1)

    def forward(self,
                logits: Tensor,
                target: Tensor,
                avg_factor: Optional[float] = None) -> Tensor:
        """Mean over the pictures, a scalar.

        Args:
            logits (Tensor): ``(N, M)``.
            target (Tensor): ``(N, M)``, see :meth:`weights`.
            avg_factor (float, optional): What to divide by. Defaults to
                None: N.
        """
        total = self.per_image(logits, target).sum()
        return total / (len(logits) if avg_factor is None else avg_factor)
