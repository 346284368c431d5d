"""k-reciprocal re-ranking, without a matrix of all pairs in memory."""
from typing import NamedTuple, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .ties import distinct_rows, nearest

ROWS = 256  # pictures at a time


class SparseRows(NamedTuple):
    """A matrix, row by row.

    Attributes:
        starts (Tensor): ``(N + 1, )`` int64, where the entries of each begin.
        columns (Tensor): ``(nnz, )`` int64.
        values (Tensor): ``(nnz, )`` float32.
    """
    starts: Tensor
    columns: Tensor
    values: Tensor

    def entries(self, rows: Tensor) -> Tuple[Tensor, Tensor]:
        """Places of some rows' entries, and which of the rows each is of."""
        counts = self.starts[rows + 1] - self.starts[rows]
        owner = torch.repeat_interleave(counts)
        first = (self.starts[rows] - counts.cumsum(0) + counts)[owner]
        return first + torch.arange(len(owner)), owner


def build_rows(row: Tensor, column: Tensor, value: Tensor,
               count: int) -> SparseRows:
    """Entries, in the order of their rows, as a matrix of ``count`` rows."""
    starts = torch.zeros(count + 1, dtype=torch.long)
    starts[1:] = torch.bincount(row, minlength=count).cumsum(0)
    return SparseRows(starts, column, value)


class Reranking:
    """Distances of queries to a gallery by whom they have for neighbours.

    Two pictures are near if the sets of pictures that are each other's
    neighbours, theirs, are alike:

    - ``R(p, k)``: of the k nearest of p those that have p among their k;
    - ``R*(p)``: ``R(p, k1)``, with each ``R(q, k1 / 2)`` of its members q of
      which two thirds are in it;
    - ``V_p``: ``exp(-d(p, g))`` of the g in ``R*(p)``, brought to a sum of 1,
      then the mean of those of p and its ``k2 - 1`` nearest;
    - distance ``(1 - weight) * jaccard(V_p, V_g) + weight * d(p, g)``.

    ``d`` is the squared distance of unit vectors over the largest of p's.
    Neighbours are looked for among queries and gallery together, whoever
    took or shows them; of neighbours equally far the first count, queries
    before the gallery. Nothing of N x N is kept; what is kept grows with N.

    Args:
        query (Tensor): ``(Q, D)`` float, any norm, on the CPU.
        gallery (Tensor): ``(G, D)`` float.
        k1 (int): Defaults to 20.
        k2 (int): Defaults to 6.
        weight (float): Of the original distance, in [0, 1]. Defaults to 0.3.

    Raises:
        ValueError: If a setting cannot be.

    Source:
        Zhong et al., Re-ranking Person Re-identification with k-reciprocal
        Encoding, CVPR 2017.
    """

    def __init__(self,
                 query: Tensor,
                 gallery: Tensor,
                 k1: int = 20,
                 k2: int = 6,
                 weight: float = 0.3) -> None:
        if k1 < 2 or not 1 <= k2 <= k1 or not 0 <= weight <= 1:
            raise ValueError('re-ranking takes k1 of at least 2, k2 of 1 to '
                             f'k1 and a weight in [0, 1], got {k1}, {k2} and '
                             f'{weight}')
        self.weight = weight
        features = torch.cat((query, gallery)).float().cpu()
        self.distinct, self.place = distinct_rows(features)
        self.distinct = F.normalize(self.distinct)
        self.features = self.distinct[self.place]
        self.first = len(query)  # where the gallery begins
        total = len(self.features)
        self.nearest, self.farthest = self._neighbours(min(k1, total - 1))
        half = self.nearest[:, :k1 // 2 + 1]
        sets = self._expand(
            self._mutual(self.nearest), half, self._mutual(half))
        self.sets = self._average(sets, min(k2, total)) if k2 > 1 else sets
        self.holders = self._inverted()

    def _distances(self, rows: Tensor) -> Tensor:
        """``(b, N)`` squared distances."""
        near = (self.features[rows] @ self.distinct.T)[:, self.place]
        return (2 - 2 * near).clamp_(min=0)

    def _chunks(self):
        return torch.arange(len(self.features)).split(ROWS)

    def _neighbours(self, k: int) -> Tuple[Tensor, Tensor]:
        """Oneself and the k nearest ``(N, 1 + k)``; largest distances."""
        found, farthest = [], []
        for rows in self._chunks():
            distances = self._distances(rows)
            farthest.append(distances.amax(1).clamp(min=1e-12))
            distances[torch.arange(len(rows)), rows] = -1.
            found.append(nearest(distances, k + 1))
        return torch.cat(found), torch.cat(farthest)

    def _mutual(self, nearest: Tensor) -> Tensor:
        """``(N, k)`` bool: which of a picture's neighbours have it, too."""
        return torch.cat([(nearest[nearest[rows]] == rows[:, None,
                                                          None]).any(2)
                          for rows in self._chunks()])

    def _expand(self, mutual: Tensor, half: Tensor,
                half_mutual: Tensor) -> SparseRows:
        """The weighted sets ``R*``."""
        nothing = len(self.features)  # no picture's number
        own = self.nearest.masked_fill(~mutual, nothing)
        theirs = half.masked_fill(~half_mutual, nothing)
        theirs = torch.cat((theirs, theirs.new_full((1, half.shape[1]),
                                                    nothing)))
        found = []
        for rows in self._chunks():
            members = own[rows]  # (b, k)
            sets = theirs[members]  # (b, k, h)
            sizes = (sets < nothing).sum(2)
            inside = torch.zeros_like(sets, dtype=torch.bool)
            for member in members.T:
                inside |= sets == member[:, None, None]
            common = (inside & (sets < nothing)).sum(2)
            taken = (3 * common >= 2 * sizes)[..., None]
            columns = torch.cat(
                (members, sets.masked_fill(~taken, nothing).flatten(1)), 1)
            found.append(self._weigh(rows, columns, nothing))
        return build_rows(*map(torch.cat, zip(*found)), nothing)

    def _weigh(self, rows: Tensor, columns: Tensor, nothing: int):
        """Entries of some rows' sets, each member once."""
        columns = columns.sort(1).values
        kept = columns < nothing
        kept[:, 1:] &= columns[:, 1:] != columns[:, :-1]
        place, _ = kept.nonzero(as_tuple=True)
        columns = columns[kept]
        near = (self.features[rows[place]] * self.features[columns]).sum(1)
        distance = (2 - 2 * near).clamp(min=0) / self.farthest[rows[place]]
        values = (-distance).exp()
        sums = torch.zeros(len(rows)).index_add_(0, place, values)
        return rows[place], columns, values / sums[place]

    def _average(self, sets: SparseRows, k2: int) -> SparseRows:
        """Means over each picture's k2 nearest, itself among them."""
        count, found = len(self.features), []
        for rows in self._chunks():
            dense = torch.zeros(len(rows), count)
            for column in self.nearest[rows, :k2].T:
                at, owner = sets.entries(column)
                dense.index_put_((owner, sets.columns[at]), sets.values[at],
                                 True)
            owner, columns = dense.nonzero(as_tuple=True)
            found.append((rows[owner], columns, dense[owner, columns] / k2))
        return build_rows(*map(torch.cat, zip(*found)), count)

    def _inverted(self) -> SparseRows:
        """By member, the gallery's pictures that have it in their sets."""
        begin = int(self.sets.starts[self.first])
        columns, order = self.sets.columns[begin:].sort(stable=True)
        counts = self.sets.starts.diff()[self.first:]
        holders = torch.repeat_interleave(counts)[order]
        return build_rows(columns, holders, self.sets.values[begin:][order],
                          len(self.features))

    def similarity(self, rows: Tensor) -> Tensor:
        """Negative distances ``(b, G)`` of some queries.

        Args:
            rows (Tensor): ``(b, )`` int64, places among the queries.
        """
        original = self._distances(rows)[:, self.first:]
        original /= self.farthest[rows, None]
        shared = torch.zeros_like(original)
        for out, row in zip(shared, rows):
            at, _ = self.sets.entries(row[None])
            held, owner = self.holders.entries(self.sets.columns[at])
            least = torch.minimum(self.sets.values[at][owner],
                                  self.holders.values[held])
            out.index_add_(0, self.holders.columns[held], least)
        jaccard = 1 - shared / (2 - shared)
        return -((1 - self.weight) * jaccard + self.weight * original)
