from typing import Optional

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..label_set import IGNORED


def lovasz_softmax(probabilities: Tensor,
                   label: Tensor,
                   ignore_index: int = IGNORED) -> Tensor:
    """One minus the overlap of each class, made smooth between decisions.

    With probabilities of 0 and 1 it is the mean of 1 - IoU over the classes
    that are labelled; in between, its Lovász extension in the errors. The
    batch counts as one picture.

    Args:
        probabilities (Tensor): ``(B, K, H, W)`` in [0, 1].
        label (Tensor): ``(B, H, W)`` classes.
        ignore_index (int): Label that is left out. Defaults to 255.

    Returns:
        Tensor: Scalar float32; 0 if there is no pixel.

    Source:
        Berman et al., "The Lovász-Softmax loss", equations 8 to 11.

    Example:
        >>> decided = torch.tensor([[[[1., 1., 0.]], [[0., 0., 1.]]]])
        >>> lovasz_softmax(decided, torch.tensor([[[0, 1, 1]]]))  # twice 1/2
        tensor(0.5000)
    """
    label = label.flatten()
    there = label != ignore_index
    # (K, P) float32: half precision would lose the small steps of a big sum
    probabilities = probabilities.transpose(0, 1).flatten(1).float()[:, there]
    label = label[there]
    # selected one by one, each row would have a gradient as large as all
    rows = probabilities.unbind()
    losses = [
        _class_loss(rows[number], label == number)
        for number in label.unique().tolist()
    ]
    return torch.stack(losses).mean() if losses else probabilities.sum()  # 0


def _class_loss(probability: Tensor, inside: Tensor) -> Tensor:
    """Of a class: ``(P, )`` probabilities and whether it is labelled."""
    errors, order = (inside.float() - probability).abs().sort(descending=True)
    inside = inside[order]
    # the Jaccard loss once the worst 1, 2, 3... pixels are wrong; counts are
    # whole numbers until they are divided
    missed = inside.cumsum(0)
    union = inside.sum() + (~inside).cumsum(0)
    jaccard = 1 - (missed[-1] - missed).float() / union.float()
    steps = torch.diff(jaccard, prepend=jaccard.new_zeros(1))
    return errors @ steps


@MODELS.register_module()
class LovaszSoftmaxLoss(nn.Module):
    """:func:`lovasz_softmax` of the softmax of logits.

    Args:
        loss_weight (float): Defaults to 1.
    """
    loss_name = 'lovasz'

    def __init__(self, loss_weight: float = 1.) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self,
                logits: Tensor,
                label: Tensor,
                refined: Optional[Tensor] = None,
                ignore_index: int = IGNORED) -> Tensor:
        """Loss of logits ``(B, K, H, W)``; it never asks refined labels."""
        return self.loss_weight * lovasz_softmax(logits.float().softmax(1),
                                                 label, ignore_index)
