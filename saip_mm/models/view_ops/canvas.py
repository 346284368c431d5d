"""The multi-person image: where persons stand, pasting, and search targets."""
from typing import List, Sequence, Tuple

import torch
from torch import Tensor


def place_persons(batch: int, sizes: Sequence[Tuple[int, int]],
                  canvas: Tuple[int, int]) -> Tensor:
    """Draw places for persons of given sizes so that none overlap.

    Persons stand side by side in a random order; the spare width is cut at
    random into the gaps, heights are free. Every draw succeeds, so no image
    is left with fewer persons than another.

    Args:
        batch (int): Number of canvases B.
        sizes (Sequence[tuple[int, int]]): Height and width of each of the P
            persons, in pixels; shared by the batch.
        canvas (tuple[int, int]): Height and width of the canvas, in pixels.

    Returns:
        Tensor: ``(B, P, 4)`` int64 boxes ``x1, y1, x2, y2``, far edge
        excluded; on CPU, from torch's global generator.

    Raises:
        ValueError: If the persons cannot stand side by side on the canvas.
    """
    height, width = canvas
    heights, widths = torch.tensor(list(sizes)).T
    spare = width - int(widths.sum())
    if spare < 0 or int(heights.max()) > height:
        raise ValueError(
            f'persons of sizes {list(sizes)} (height, width) do not fit side '
            f'by side on a canvas of {canvas}: widen the canvas, lower the '
            'scale range or paste fewer persons')
    order = torch.rand(batch, len(sizes)).argsort(1)
    cuts = torch.rand(batch, len(sizes)).sort(1).values
    shift = (cuts * (spare + 1)).long().clamp_(max=spare)
    ordered = widths[order]
    left_sorted = ordered.cumsum(1) - ordered + shift
    left = torch.empty_like(left_sorted).scatter_(1, order, left_sorted)
    room = height - heights + 1
    top = (torch.rand(batch, len(sizes)) * room).long()
    top = torch.minimum(top, room - 1)
    return torch.stack([left, top, left + widths, top + heights], -1)


def paste_persons(background: Tensor, persons: Sequence[Tensor], boxes: Tensor,
                  alpha: float) -> Tensor:
    """Blend persons into their boxes: ``alpha`` person, the rest background.

    Args:
        background (Tensor): ``(B, 3, H, W)`` float; written to in place.
        persons (Sequence[Tensor]): P tensors ``(B, 3, h, w)``, each as large
            as its boxes.
        boxes (Tensor): ``(B, P, 4)`` int64, ``x1, y1, x2, y2``.
        alpha (float): Share of the person in [0, 1].

    Returns:
        Tensor: ``background``.

    Source:
        The simple copy-paste of the multi-person image (paper 3.2).
    """
    corners: List = boxes.tolist()
    for index, person in enumerate(persons):
        for image, places in enumerate(corners):
            x1, y1, x2, y2 = places[index]
            background[image, :, y1:y2, x1:x2].lerp_(person[image], alpha)
    return background


def cell_targets(boxes: Tensor,
                 canvas: Tuple[int, int],
                 stride: int = 16) -> Tensor:
    """Turn pasted rectangles into per-cell targets of the search task.

    A cell's target is the share of its area inside the rectangle, so border
    cells get fractions and small persons never vanish.

    Args:
        boxes (Tensor): ``(B, 4)``; ``x1, y1, x2, y2`` in canvas pixels, far
            edge excluded: (0, 0, 16, 16) is one 16-pixel cell.
        canvas (tuple[int, int]): Height and width of the multi-person image,
            in pixels.
        stride (int): Side of a cell, in pixels. Defaults to 16.

    Returns:
        Tensor: ``(B, h * w)`` float32 in [0, 1], row by row, where
        ``h, w = canvas / stride``.

    Raises:
        ValueError: If ``stride`` does not divide both sides of ``canvas``.

    Source:
        M_t of Eq. 3. The paper does not say how the mask reaches the grid;
        the authors' release samples the nearest pixel (targets 0 or 1).

    Example:
        >>> cell_targets(torch.tensor([[8., 0., 32., 16.]]), (16, 32))
        tensor([[0.5000, 1.0000]])
    """
    if canvas[0] % stride or canvas[1] % stride:
        raise ValueError(f'a canvas of {canvas} (height, width) is no '
                         f'multiple of the {stride}-pixel cell: change its '
                         'sides')
    x1, y1, x2, y2 = boxes.float().unbind(-1)
    covered = []
    for low, high, side in ((y1, y2, canvas[0]), (x1, x2, canvas[1])):
        edge = torch.arange(0, side, stride, device=boxes.device)
        overlap = torch.minimum(high[:, None], edge + stride) - torch.maximum(
            low[:, None], edge.float())
        covered.append(overlap.clamp(min=0) / stride)
    return (covered[0][:, :, None] * covered[1][:, None, :]).flatten(1)


def mean_inside(values: Tensor, cover: Tensor) -> Tensor:
    """Mean of a map over the cells that a person covers.

    Args:
        values (Tensor): ``(..., L)``, one a cell.
        cover (Tensor): ``(..., L)``, covered share of each cell, broadcast
            against ``values``; not all 0.

    Returns:
        Tensor: ``(...)``, each cell counted by its share.
    """
    return (values * cover).sum(-1) / cover.sum(-1)


def above_distractors(response: Tensor, targets: Tensor,
                      distractors: Tensor) -> Tensor:
    """Whether searches answer higher on their person than on all others.

    With D distractors an answer that knows nothing is right in ``1 / (1 +
    D)`` of the cases.

    Args:
        response (Tensor): ``(N, B, L)`` of N searches on B canvases.
        targets (Tensor): ``(N, B, L)``, share of each cell that the searched
            person covers.
        distractors (Tensor): ``(D, B, L)``, D >= 1, likewise of the others.

    Returns:
        Tensor: ``(N, B)`` bool.

    Example:
        >>> response = torch.tensor([[[0.9, 0.1, 0.4]]])
        >>> person = torch.tensor([[[1., 1., 0.]]])  # 0.5 on average
        >>> above_distractors(response, person, torch.eye(3)[2:, None])
        tensor([[True]])
    """
    inside = mean_inside(response, targets)
    others = mean_inside(response[None], distractors[:, None])  # (D, N, B)
    return inside > others.amax(0)
