"""Features and distances that are equal, so that no machine's order counts."""
from typing import Tuple, Union

import torch  # noqa: F401  (of the examples)
from torch import Tensor


def distinct_rows(features: Tensor) -> Tuple[Tensor, Union[Tensor, slice]]:
    """Rows that differ, number for number, and where each row stands there.

    A matrix product may round equal rows differently, so that they would not
    tie: multiply each once.

    Args:
        features (Tensor): ``(N, D)``.

    Returns:
        Tensor: ``(K, D)``, or ``features`` itself where all differ.
        Tensor | slice: ``(N, )`` int64 places among them, to index by.

    Example:
        >>> rows, place = distinct_rows(torch.tensor([[2.], [1.], [2.]]))
        >>> rows.flatten().tolist(), place.tolist()
        ([1.0, 2.0], [1, 0, 1])
    """
    distinct, place = features.unique(dim=0, return_inverse=True)
    if len(distinct) == len(features):
        return features, slice(None)
    return distinct, place


def nearest(distances: Tensor, count: int) -> Tensor:
    """Columns of the smallest values of each row, of equal ones the first.

    torch's ``topk`` takes any of them, and in any order.

    Args:
        distances (Tensor): ``(b, N)`` float.
        count (int): At most N.

    Returns:
        Tensor: ``(b, count)`` int64, the smallest first.

    Example:
        >>> nearest(torch.tensor([[3., 1., 2., 1., 2., 2.]]), 4)
        tensor([[1, 3, 2, 4]])
    """
    values, columns = distances.topk(count, largest=False)
    last = values[:, -1:]  # the largest that is taken
    tied = ((distances <= last).sum(1) > count).nonzero().flatten()
    if len(tied):
        some, last = distances[tied], last[tied]
        below, equal = some < last, some == last
        room = count - below.sum(1, keepdim=True)
        taken = below | equal & (equal.cumsum(1) <= room)
        columns[tied] = taken.nonzero()[:, 1].view(-1, count)
    columns = columns.sort(1).values
    order = torch.sort(distances.gather(1, columns), dim=1, stable=True)
    return columns.gather(1, order.indices)
