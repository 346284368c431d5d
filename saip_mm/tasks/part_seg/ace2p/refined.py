"""Labels refined by an average of earlier weights, and learning from them."""
from typing import Optional

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..label_set import IGNORED


def refine(logits: Tensor, label: Tensor, count: int) -> Tensor:
    """Mix what an average of weights says with what is labelled.

    Args:
        logits (Tensor): ``(B, K, H, W)`` of the average.
        label (Tensor): ``(B, H, W)`` classes. Where they are none of K, such
            as 255, the logits are mixed with zeros.
        count (int): n, how many weights were averaged.

    Returns:
        Tensor: ``(B, K, H, W)`` float32, sums to 1 over K:
        ``softmax(n / (n + 1) * logits + 1 / (n + 1) * one_hot)``.

    Source:
        Li et al., "Self-Correction for Human Parsing", as in the code of
        SAIP's authors: logits, not probabilities, are mixed.

    Example:
        >>> logits = torch.tensor([1.1972, 0.]).view(1, 2, 1, 1)
        >>> refine(logits, torch.tensor([[[0]]]), 1).flatten()  # ln 3 and 0
        tensor([0.7500, 0.2500])
    """
    logits = logits.float()
    known = (label >= 0) & (label < logits.shape[1])
    one_hot = torch.zeros_like(logits).scatter(
        1,
        label.masked_fill(~known, 0)[:, None], known[:, None].float())
    share = count / (count + 1)
    return (share * logits + (1 - share) * one_hot).softmax(1)


def divergence(logits: Tensor, target: Tensor, there: Tensor) -> Tensor:
    """Kullback-Leibler divergence of a prediction from a soft target.

    Args:
        logits (Tensor): ``(B, K, H, W)`` of the prediction.
        target (Tensor): ``(B, K, H, W)`` probabilities.
        there (Tensor): ``(B, H, W)`` bool: pixels that count.

    Returns:
        Tensor: Scalar: its sum over classes, its mean over pixels; 0 if none
        counts.
    """
    each = F.kl_div(
        logits.float().log_softmax(1), target.float(), reduction='none').sum(1)
    return each[there].sum() / there.sum().clamp(min=1)


@MODELS.register_module()
class RefinableCrossEntropy(nn.Module):
    """Cross entropy; with a refined target, the divergence from that.

    Args:
        loss_weight (float): Defaults to 1.
    """
    loss_name = 'pixel'

    def __init__(self, loss_weight: float = 1.) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self,
                logits: Tensor,
                label: Tensor,
                refined: Optional[Tensor] = None,
                ignore_index: int = IGNORED) -> Tensor:
        """Mean over the pixels that count.

        Args:
            logits (Tensor): ``(B, K, H, W)``.
            label (Tensor): ``(B, H, W)`` classes.
            refined (Tensor, optional): ``(B, K, H, W)``, see :func:`refine`.
            ignore_index (int): Label that is left out.
        """
        there = label != ignore_index
        if refined is not None:
            return self.loss_weight * divergence(logits, refined, there)
        total = F.cross_entropy(
            logits.float(), label, ignore_index=ignore_index, reduction='sum')
        return self.loss_weight * total / there.sum().clamp(min=1)
