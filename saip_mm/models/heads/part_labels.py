"""SOLIDER's labels: parts of a body, from upper to lower, by clustering."""
from typing import Tuple

import torch
from torch import Tensor

SEED = 0  # of the clustering's start, the same for every batch
ITERATIONS, RESTARTS = 10, 1
EXACT_ITERATIONS, EXACT_RESTARTS = 300, 10  # scikit-learn's


def split_in_two(values: Tensor) -> Tensor:
    """Best two clusters of numbers, exactly.

    Args:
        values (Tensor): ``(N, L)``, L >= 2.

    Returns:
        Tensor: ``(N, L)`` bool, True in the cluster of the larger numbers,
        which has 1 to L - 1 of them: the split in the order of size with the
        least sum of squared distances to the two means.

    Example:
        >>> split_in_two(torch.tensor([[5., 1., 1.5, 4.]])).int()
        tensor([[1, 0, 0, 1]], dtype=torch.int32)
    """
    ordered, order = values.double().sort(1)
    # without the mean nothing large is subtracted from something as large
    ordered = ordered - ordered.mean(1, keepdim=True)
    length = values.shape[1]
    count = torch.arange(1, length, device=values.device)
    below = ordered.cumsum(1)[:, :-1]
    # the sum is 0, so the others' is -below; squares are the same for all
    explained = below.square() / count + below.square() / (length - count)
    split = explained.argmax(1) + 1
    rank = order.argsort(1)
    return rank >= split[:, None]


def cluster(points: Tensor,
            inside: Tensor,
            count: int,
            exact: bool = False) -> Tensor:
    """k-means of each image's points, all images at once.

    Args:
        points (Tensor): ``(N, L, D)``.
        inside (Tensor): ``(N, L)`` bool, which points count.
        count (int): Clusters k.
        exact (bool): As scikit-learn does: 10 starts, of which the best is
            kept, float64, and until nothing changes. Else one start and 10
            iterations in float32. Defaults to False.

    Returns:
        Tensor: ``(N, L)`` int64 from 0 to k - 1, also of points that do not
        count: the nearest centre. The start is k-means++ from a fixed seed:
        the same points have the same clusters.
    """
    points = points.double() if exact else points.float()
    # without their mean, distances lose fewer digits
    weights = inside.to(points)[..., None]
    centre = (points * weights).sum(
        1, keepdim=True) / weights.sum(
            1, keepdim=True).clamp(min=1)
    points = points - centre
    best, least = None, None
    generator = torch.Generator().manual_seed(SEED)
    for _ in range(EXACT_RESTARTS if exact else RESTARTS):
        start = torch.rand(count, len(points), generator=generator)
        centres = _spread_out(points, inside, start.to(points))
        found, error = _lloyd(points, inside, centres,
                              EXACT_ITERATIONS if exact else ITERATIONS, exact)
        if best is None:
            best, least = found, error
            continue
        better = error < least
        best = torch.where(better[:, None], found, best)
        least = torch.where(better, error, least)
    return best


def _squared_distances(points: Tensor, centres: Tensor) -> Tensor:
    """``(N, L, D)``, ``(N, k, D)`` -> ``(N, L, k)``"""
    return torch.cdist(
        points, centres, compute_mode='donot_use_mm_for_euclid_dist').square()


def _spread_out(points: Tensor, inside: Tensor, start: Tensor) -> Tensor:
    """k-means++: each centre a point, the farther from others the likelier.

    Args:
        points (Tensor): ``(N, L, D)``.
        inside (Tensor): ``(N, L)`` bool.
        start (Tensor): ``(k, N)`` uniform in [0, 1).

    Returns:
        Tensor: ``(N, k, D)``.
    """
    weights = inside.to(points)
    centres = []
    images = torch.arange(len(points), device=points.device)
    for number in start:
        total = weights.cumsum(1)
        place = (total <= number[:, None] * total[:, -1:]).sum(1)
        place = place.clamp(max=points.shape[1] - 1)
        centres.append(points[images, place])
        near = _squared_distances(points, torch.stack(centres, 1)).amin(2)
        weights = near * inside
        # all points are centres already: take any
        spent = weights.sum(1, keepdim=True) <= 0
        weights = torch.where(spent, inside.to(points), weights)
    return torch.stack(centres, 1)


def _lloyd(points: Tensor, inside: Tensor, centres: Tensor, iterations: int,
           until_still: bool) -> Tuple[Tensor, Tensor]:
    """Lloyd's iterations: ``(N, L)`` clusters, ``(N, )`` squared errors."""
    count = centres.shape[1]
    counted = inside[..., None].to(points)
    found = None
    for _ in range(iterations):
        distances = _squared_distances(points, centres)
        nearest = distances.argmin(2)
        if until_still and found is not None and torch.equal(found, nearest):
            break
        found = nearest
        member = torch.nn.functional.one_hot(found, count).to(points) * counted
        sizes = member.sum(1)[..., None]
        means = member.transpose(1, 2) @ points / sizes.clamp(min=1)
        centres = torch.where(sizes > 0, means, centres)
    near, found = _squared_distances(points, centres).min(2)
    return found, (near * inside).sum(1)


@torch.no_grad()
def part_labels(tokens: Tensor,
                grid: Tuple[int, int],
                parts: int = 3,
                exact: bool = False) -> Tuple[Tensor, Tensor]:
    """Label the cells of person pictures: background, and parts by height.

    The cells with the longer tokens are the person (2-means of their L2
    norms); its cells are clustered by their tokens, and the clusters counted
    by their mean row.

    Args:
        tokens (Tensor): ``(N, L, D)`` of N pictures.
        grid (tuple[int, int]): Rows and columns, L of them.
        parts (int): Number of clusters. Defaults to 3.
        exact (bool): See :func:`cluster`. Defaults to False.

    Returns:
        tuple[Tensor, Tensor]: ``(N, L)`` int64, 0 for the background, 1 for
        the uppermost part, to ``parts``; and ``(N, )`` bool, which pictures
        count: those of which the person covers more than half.

    Raises:
        ValueError: If the grid has another number of cells.

    Source:
        Chen et al., SOLIDER, CVPR 2023, where scikit-learn does it picture by
        picture from random starts.
    """
    if grid[0] * grid[1] != tokens.shape[1]:
        raise ValueError(f'{tokens.shape[1]} tokens are no grid of '
                         f'{grid[0]}x{grid[1]} cells')
    person = split_in_two(tokens.float().norm(dim=-1))
    kept = person.sum(1) * 2 > tokens.shape[1]
    found = cluster(tokens, person, parts, exact)
    rows = torch.arange(
        grid[0], device=tokens.device).repeat_interleave(grid[1])
    member = torch.nn.functional.one_hot(found, parts) * person[..., None]
    sizes = member.sum(1)  # (N, parts)
    height = (member * rows[None, :, None]).sum(1) / sizes.clamp(min=1)
    # a cluster without a cell comes last
    height = height.masked_fill(sizes == 0, float('inf'))
    place = height.argsort(1).argsort(1)
    return (place.gather(1, found) + 1) * person, kept
