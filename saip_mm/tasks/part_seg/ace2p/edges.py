"""Edges between parts: from labels, their loss, and the parsing's own."""
from typing import Optional

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..label_set import IGNORED
from .refined import divergence


def edge_targets(label: Tensor,
                 width: int = 3,
                 ignore_index: int = IGNORED) -> Tensor:
    """Mark the pixels along which classes meet.

    A pixel is on an edge if the 2x2 block of which it is the upper left
    corner holds two classes; what is ignored is none. Edges are then widened
    to ``width`` pixels.

    Args:
        label (Tensor): ``(B, H, W)`` integer classes below 256.
        width (int): Odd. Defaults to 3 pixels.
        ignore_index (int): Label of no class. Defaults to 255.

    Returns:
        Tensor: ``(B, H, W)`` int64: 1 on edges, 0 elsewhere,
        ``ignore_index`` where the label is.

    Raises:
        ValueError: If ``width`` is not odd: such an edge has no middle.

    Source:
        SAIP's authors take edges of 3 pixels; how they find them, and that
        ignored pixels are left out, is ours.

    Example:
        >>> edge_targets(torch.tensor([[[0, 0, 0, 7, 7, 7, 7, 255]]]))
        tensor([[[  0,   1,   1,   1,   0,   0,   0, 255]]])
    """
    if width < 1 or not width % 2:
        raise ValueError(f'the width of edges is {width} pixels: give an odd '
                         'number, 3')
    ignored = label == ignore_index
    # ignored pixels are neither the largest nor the smallest of their block
    high = _largest_of_block(label.masked_fill(ignored, -1))
    low = -_largest_of_block(-label.masked_fill(ignored, 256))
    edge = F.max_pool2d((high > low).float(), width, 1, width // 2)
    return edge.long().masked_fill(ignored, ignore_index)


def _largest_of_block(x: Tensor) -> Tensor:
    # 4-D only: torch pads no 3-D batch of planes by its border
    x = F.pad(x[:, None].float(), (0, 1, 0, 1), mode='replicate')
    return F.max_pool2d(x, 2, 1)[:, 0]


def balanced_edge_loss(logits: Tensor,
                       target: Tensor,
                       ignore_index: int = IGNORED) -> Tensor:
    """Cross entropy in which edges weigh as much as all the rest.

    Each class is weighed by the other's share of the pixels, and the sum
    divided by the weights': the mean of the two classes' mean losses.

    Args:
        logits (Tensor): ``(B, 2, H, W)`` of no edge and edge.
        target (Tensor): ``(B, H, W)`` of :func:`edge_targets`.
        ignore_index (int): Target that is left out. Defaults to 255.

    Returns:
        Tensor: Scalar; of the one class that is there if the other is not,
        0 if there is none.

    Example:
        >>> logits = torch.zeros(1, 2, 1, 4)
        >>> logits[0, 1, 0, 0] = 3.  # one edge, found, and three of none
        >>> balanced_edge_loss(logits, torch.tensor([[[1, 0, 0, 0]]]))
        tensor(0.3709)
    """
    losses = F.cross_entropy(
        logits.float(), target, ignore_index=ignore_index, reduction='none')
    means = [losses[target == kind] for kind in (0, 1)]
    means = [of_kind.mean() for of_kind in means if of_kind.numel()]
    return torch.stack(means).mean() if means else losses.sum()  # 0


def edge_consistency(parsing: Tensor,
                     edge: Tensor,
                     label: Tensor,
                     width: int = 3,
                     gradient: bool = False,
                     ignore_index: int = IGNORED) -> Tensor:
    """How far the edges of the parsing are from those of the edge branch.

    Args:
        parsing (Tensor): ``(B, K, H, W)`` logits of parts.
        edge (Tensor): ``(B, 2, H, W)`` logits of no edge and edge.
        label (Tensor): ``(B, H, W)`` classes.
        width (int): Of edges. Defaults to 3 pixels.
        gradient (bool): Take the edge branch's probability, through which a
            gradient flows to it, not its decision. Defaults to False.
        ignore_index (int): Label that is left out. Defaults to 255.

    Returns:
        Tensor: Scalar in [0, 1]: mean absolute difference over the labels'
        edges; 0 if there is none.

    Source:
        Li et al., "Self-Correction for Human Parsing". SAIP's authors compare
        decisions, so that theirs has no gradient, either.
    """
    found = parsing.argmax(1).masked_fill(label == ignore_index, ignore_index)
    there = edge_targets(label, width, ignore_index) == 1
    of_parsing = edge_targets(found, width, ignore_index)[there].float()
    branch = edge.float().softmax(1)[:, 1] if gradient else edge.argmax(1)
    total = (of_parsing - branch[there]).abs().sum()
    return total / max(of_parsing.numel(), 1)


@MODELS.register_module()
class BalancedEdgeLoss(nn.Module):
    """:func:`balanced_edge_loss`; with a refined target, the divergence.

    Args:
        loss_weight (float): Defaults to 1.
    """

    def __init__(self, loss_weight: float = 1.) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self,
                logits: Tensor,
                target: Tensor,
                refined: Optional[Tensor] = None,
                ignore_index: int = IGNORED) -> Tensor:
        """Loss of logits ``(B, 2, H, W)``.

        Args:
            logits (Tensor): Of no edge and edge.
            target (Tensor): ``(B, H, W)``.
            refined (Tensor, optional): ``(B, 2, H, W)``, see
                :func:`~.refined.refine`.
            ignore_index (int): Target that is left out.
        """
        value = (
            balanced_edge_loss(logits, target, ignore_index) if refined is None
            else divergence(logits, refined, target != ignore_index))
        return self.loss_weight * value


@MODELS.register_module()
class EdgeConsistencyLoss(nn.Module):
    """:func:`edge_consistency`.

    Args:
        loss_weight (float): Defaults to 0.1.
        width (int): Of edges. Defaults to 3 pixels.
        gradient (bool): See there. Defaults to False: a number for the log.
    """

    def __init__(self,
                 loss_weight: float = 0.1,
                 width: int = 3,
                 gradient: bool = False) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.width = width
        self.gradient = gradient

    def forward(self,
                parsing: Tensor,
                edge: Tensor,
                label: Tensor,
                ignore_index: int = IGNORED) -> Tensor:
        """See :func:`edge_consistency`."""
        return self.loss_weight * edge_consistency(
            parsing, edge, label, self.width, self.gradient, ignore_index)
