"""Search for persons: rank-k, mAP and mINP."""
from typing import Callable, Dict, NamedTuple, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .rerank import Reranking
from .ties import distinct_rows

JUNK = -1  # identity of Market-1501's badly detected boxes


class RetrievalScores(NamedTuple):
    """Scores of a retrieval run, in [0, 1].

    Attributes:
        cmc (dict[int, float]): Share of queries with a right one among the
            first k answers, by k.
        map (float): Mean average precision.
        minp (float): Mean inverse negative penalty: right answers over the
            rank of the last of them.
        queries (int): Queries that could be answered and were counted.
    """
    cmc: Dict[int, float]
    map: float
    minp: float
    queries: int

    @property
    def rank1(self) -> float:
        """Share of queries whose first answer is right."""
        return self.cmc[1]


class ChanceScores(NamedTuple):
    """Expected scores of answers in random order.

    Attributes:
        rank1 (float): Share of queries whose first answer is right.
        map (float): Mean average precision.
        queries (int): Queries that can be answered.
    """
    rank1: float
    map: float
    queries: int


def ascending(values: Tensor) -> Tensor:
    """Sort each row in place.

    torch sorts indices along, which nobody needs here and which on a CPU
    takes most of the time and memory of a retrieval run.

    Args:
        values (Tensor): ``(b, G)`` float without gradient.

    Returns:
        Tensor: ``values``, or on other devices than the CPU a new tensor.
    """
    if values.device.type != 'cpu':
        return values.sort(1).values
    values.numpy().sort(1)
    return values


def chunk_scores(similarity: Tensor, positive: Tensor, negative: Tensor):
    """Average precision, penalty and first hit of some queries.

    A wrong answer as similar as a right one counts as ranked before it, so
    features which are all the same score as badly as they are.

    Args:
        similarity (Tensor): ``(b, G)`` float without gradient.
        positive (Tensor): ``(b, G)`` bool, right answers.
        negative (Tensor): ``(b, G)`` bool, wrong ones. Entries which are
            neither are out of the ranking.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Average precision ``(b, )``, inverse
        negative penalty ``(b, )``, both 0 without a right answer, and wrong
        answers before the first right one ``(b, )`` int64, -1 without one.
    """
    count = positive.sum(1)
    most = max(1, int(count.max()))
    # what is no right (below, no wrong) answer goes to the low end
    right = ascending(similarity.masked_fill(~positive, -torch.inf))
    right = right[:, -most:].flip(1)
    wrong = ascending(similarity.masked_fill(~negative, -torch.inf))
    # wrong answers at least as similar as the i-th right one
    before = wrong.shape[1] - torch.searchsorted(wrong, right)
    hits = torch.arange(1, most + 1, device=right.device)
    valid = hits <= count[:, None]
    precision = (hits.double() / (hits + before)).masked_fill(~valid, 0.)
    average = precision.sum(1) / count.clamp(min=1)
    last = (count - 1).clamp(min=0)[:, None]
    worst = count + before.gather(1, last)[:, 0]
    penalty = count.double() / worst.clamp(min=1)
    return average, penalty, before[:, 0].masked_fill(count == 0, -1)


def answers(query_pids: Tensor, query_cams: Tensor, gallery_pids: Tensor,
            gallery_cams: Tensor) -> Tuple[Tensor, Tensor]:
    """Right and wrong answers under the Market-1501 protocol.

    Args:
        query_pids, query_cams (Tensor): ``(Q, )`` int.
        gallery_pids, gallery_cams (Tensor): ``(G, )`` int.

    Returns:
        tuple[Tensor, Tensor]: ``(Q, G)`` bool each. Junk, and the same person
        by the same camera, is neither.
    """
    same = query_pids[:, None] == gallery_pids
    camera = query_cams[:, None] == gallery_cams
    kept = ~(same & camera) & (gallery_pids != JUNK)
    return same & kept, ~same & kept


def cosine_of(query: Tensor, gallery: Tensor) -> Callable[[Tensor], Tensor]:
    """Cosine similarity of queries to a gallery, some queries at a time.

    Args:
        query (Tensor): ``(Q, D)`` float32, any norm.
        gallery (Tensor): ``(G, D)`` float32.

    Returns:
        Callable: ``(b, )`` int64 places of queries to ``(b, G)``; equal for
        pictures of the gallery whose features are, number for number.
    """
    query = F.normalize(query)
    distinct, place = distinct_rows(gallery)
    distinct = F.normalize(distinct)
    return lambda rows: (query[rows] @ distinct.T)[:, place]


def no_match(queries: int, gallery: int, cameras: int) -> str:
    """What is to be said of a search that has no answer."""
    return (f'none of the {queries} queries has a match in the gallery from '
            f'another camera ({gallery} pictures, {cameras} cameras found): '
            'check the numbers of persons and cameras')


@torch.no_grad()
def retrieval_scores(query: Tensor,
                     query_pids: Tensor,
                     query_cams: Tensor,
                     gallery: Tensor,
                     gallery_pids: Tensor,
                     gallery_cams: Tensor,
                     ranks: Sequence[int] = (1, 5, 10),
                     chunk: int = 128,
                     rerank: Optional[dict] = None) -> RetrievalScores:
    """Score retrieval by cosine similarity under the Market-1501 protocol.

    Out of the ranking of a query are the gallery's images of the same person
    by the same camera, and its junk (identity -1). Identity 0 (distractors)
    stays. Queries without a right answer left are not counted.

    Of equally similar answers the wrong ones rank first, and gallery images
    of the same feature, number for number in float32, are equally similar to
    any query: a model that gives one feature for everybody gets no credit.
    Features that differ are ranked by their similarities in float32, even
    where only rounding tells these apart: of two features of one direction
    and other norms, or at one angle on two sides of the query, either may
    come first, and ``chunk`` and machine may change which.

    Args:
        query (Tensor): ``(Q, D)`` float, any norm.
        query_pids (Tensor): ``(Q, )`` int identities.
        query_cams (Tensor): ``(Q, )`` int cameras.
        gallery (Tensor): ``(G, D)`` float.
        gallery_pids (Tensor): ``(G, )`` int identities.
        gallery_cams (Tensor): ``(G, )`` int cameras.
        ranks (Sequence[int]): k of rank-k. Defaults to 1, 5 and 10.
        chunk (int): Queries ranked at once, which takes about
            ``16 * chunk * G`` bytes. Defaults to 128.
        rerank (dict, optional): Settings ``k1``, ``k2`` and ``weight`` of
            :class:`~.rerank.Reranking`, whose distances then rank; ``dict()``
            for its defaults. Defaults to None: similarity ranks.

    Returns:
        RetrievalScores: rank-k, mAP and mINP.

    Raises:
        ValueError: If a feature is not finite, or no query has an image of
            the same person by another camera in the gallery.

    Source:
        Zheng et al., Scalable Person Re-identification, ICCV 2015; average
        precision as the mean of the precisions at each right answer. mINP:
        Ye et al., Deep Learning for Person Re-identification, 2021.

    Example:
        >>> ones = torch.ones(1, dtype=torch.long)
        >>> retrieval_scores(
        ...     torch.eye(2)[:1], ones, ones, torch.eye(2),
        ...     torch.tensor([1, 2]), torch.tensor([2, 2]), ranks=(1, ))
        RetrievalScores(cmc={1: 1.0}, map=1.0, minp=1.0, queries=1)
    """
    query, gallery = query.float(), gallery.float()
    for name, features in (('query', query), ('gallery', gallery)):
        if not features.isfinite().all():
            raise ValueError(f'{name} features hold NaN or infinity')
    if rerank is None:
        similar = cosine_of(query, gallery)
    else:
        similar = Reranking(query, gallery, **rerank).similarity
    # filled in place: small results kept between large ones make holes in the
    # heap, 20 MB a chunk
    average = torch.zeros(len(query), dtype=torch.double, device=query.device)
    penalty, first = average.clone(), average.long() - 1
    for rows in torch.arange(len(query)).split(chunk):
        if not len(rows) or not len(gallery):
            break
        positive, negative = answers(query_pids[rows], query_cams[rows],
                                     gallery_pids, gallery_cams)
        average[rows], penalty[rows], first[rows] = chunk_scores(
            similar(rows), positive, negative)
    counted = first >= 0
    total = int(counted.sum())
    if not total:
        cameras = len(torch.cat((query_cams, gallery_cams)).unique())
        raise ValueError(no_match(len(query), len(gallery), cameras))
    first = first[counted]
    return RetrievalScores(
        {k: float((first < k).double().mean())
         for k in ranks}, float(average[counted].mean()),
        float(penalty[counted].mean()), total)


def chance_scores(query_pids: Tensor,
                  query_cams: Tensor,
                  gallery_pids: Tensor,
                  gallery_cams: Tensor,
                  chunk: int = 128) -> ChanceScores:
    """Expected scores of answers in random order.

    With P right ones among N: rank-1 is P / N, and average precision
    ``H / N + (P - 1) / (N - 1) * (1 - H / N)``, where ``H`` is
    ``1 + 1/2 + ... + 1/N``. For the protocol see :func:`retrieval_scores`.

    Args:
        query_pids, query_cams (Tensor): ``(Q, )`` int.
        gallery_pids, gallery_cams (Tensor): ``(G, )`` int.
        chunk (int): Queries at once. Defaults to 128.

    Returns:
        ChanceScores: Means over the queries that can be answered; of none,
        NaN.

    Example:
        >>> ones = torch.ones(1, dtype=torch.long)
        >>> chance_scores(ones, ones, torch.tensor([1, 2]),
        ...               torch.tensor([2, 2]))  # 1st or 2nd
        ChanceScores(rank1=0.5, map=0.75, queries=1)
    """
    right, total = [], []
    for rows in torch.arange(len(query_pids)).split(chunk):
        positive, negative = answers(query_pids[rows], query_cams[rows],
                                     gallery_pids, gallery_cams)
        right.append(positive.sum(1))
        total.append(right[-1] + negative.sum(1))
    right, total = torch.cat(right).double(), torch.cat(total).double()
    right, total = right[right > 0], total[right > 0]
    ranks = torch.arange(1, len(gallery_pids) + 1, device=right.device)
    harmonic = (1 / ranks.double()).cumsum(0)[total.long() - 1] / total
    rest = (right - 1) / (total - 1).clamp(min=1)
    return ChanceScores(
        float((right / total).mean()),
        float((harmonic + rest * (1 - harmonic)).mean()), len(right))
