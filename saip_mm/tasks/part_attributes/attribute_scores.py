"""Average precision of objects with attributes: Fashionpedia's IoU + F1.

COCO's AP with a second condition: a prediction counts as right if it overlaps
a label by t and names its attributes with an F1 of u.

Source:
    Jia et al., "Fashionpedia", and the data set's own evaluation package,
    which today's NumPy refuses.
"""
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

STEPS = np.linspace(.5, .95, 10)
# of overlap and of F1; at -1 the condition is off
THRESHOLDS = np.append(STEPS, -1)
STEP_PLACES, OFF = slice(0, 10), slice(10, 11)
RECALLS = np.linspace(0, 1, 101)
AREAS = dict(all=(0, 1e10), s=(0, 32**2), m=(32**2, 96**2), l=(96**2, 1e10))
MOST = 100  # predictions of a category in a picture
ALMOST = 1 - 1e-10  # an overlap of 1 meets a threshold of 1
TINY = np.spacing(1)


def set_f1(labels: Sequence[Set[int]], predictions: Sequence[Set[int]],
           count: int) -> np.ndarray:
    """How well sets of attributes agree.

    The mean of two F1: of the attributes that are there, and of those that
    are not. Of several hundred most are not, so that sets which share nothing
    still get half.

    Args:
        labels (Sequence[set[int]]): Of G labels.
        predictions (Sequence[set[int]]): Of D predictions.
        count (int): Attributes there are.

    Returns:
        np.ndarray: ``(D, G)`` float64 in [0, 1]; 1 if both sets are empty.

    Example:
        >>> set_f1([{157, 160}, set()], [{157}, set()], 294).round(7)
        array([[0.8324786, 0.4991482],
               [0.4982935, 1.       ]])
    """
    true = np.array([len(one) for one in labels], np.float64)[None]
    found = np.array([len(one) for one in predictions], np.float64)[:, None]
    both = np.array([[len(p & g) for g in labels] for p in predictions],
                    np.float64).reshape(len(predictions), len(labels))
    total = true + found
    ones = 2 * both / np.maximum(total, 1)
    zeros = 2 * (count - total + both) / np.maximum(2 * count - total, 1)
    return np.where(total == 0, 1., (ones + zeros) / 2)


class Pairs(NamedTuple):
    """Predictions and labels of one category in one picture.

    Attributes:
        scores (np.ndarray): ``(D, )``, descending, at most 100.
        ious (np.ndarray): ``(D, G)``.
        f1 (np.ndarray, optional): ``(D, G)``; None if the category has no
            attributes, and overlap alone counts.
        areas (np.ndarray): ``(D, )`` of the predictions' boxes.
        label_areas (np.ndarray): ``(G, )``.
        crowd (np.ndarray): ``(G, )`` bool.
    """
    scores: np.ndarray
    ious: np.ndarray
    f1: Optional[np.ndarray]
    areas: np.ndarray
    label_areas: np.ndarray
    crowd: np.ndarray


class Matches(NamedTuple):
    """What became of a category's predictions, at T x U thresholds.

    Attributes:
        hits (np.ndarray): ``(T, U, D)`` bool, whether a label was found.
        ignored (np.ndarray): ``(T, U, D)`` bool, neither right nor wrong.
        labels (int): Ordinary labels, those to be found.
    """
    hits: np.ndarray
    ignored: np.ndarray
    labels: int


def match(pairs: Pairs, area: str = 'all') -> Matches:
    """Match predictions to labels, for all thresholds at once.

    In the order of their scores each prediction goes through the labels, the
    ordinary ones first, and takes the last that is at least as good in both
    overlap and F1 as the one before. Labels outside the range of areas, and
    crowds, are ignored ones: they are only taken where no ordinary one is.

    Args:
        pairs (Pairs): Of one picture.
        area (str): Of :data:`AREAS`. Defaults to 'all'.

    Returns:
        Matches: U is 11, or 1 if the category has no attributes.
    """
    low, high = AREAS[area]
    unused = pairs.crowd | (pairs.label_areas < low) | (
        pairs.label_areas > high)
    order = np.argsort(unused, kind='stable')
    with_f1 = pairs.f1 is not None
    grid = (len(THRESHOLDS), len(THRESHOLDS) if with_f1 else 1)
    start = np.minimum(THRESHOLDS, ALMOST)
    start_iou = np.broadcast_to(start[:, None], grid)
    start_f1 = np.broadcast_to(start[None, :grid[1]], grid)
    taken = np.zeros((len(unused), *grid), bool)
    hits, ignored = (
        np.zeros((*grid, len(pairs.scores)), bool) for _ in range(2))
    for d in range(len(pairs.scores)):
        iou, f1 = start_iou.copy(), start_f1.copy()
        best = np.full(grid, -1)
        for g in order:
            fits = pairs.ious[d, g] >= iou
            if with_f1:
                fits &= pairs.f1[d, g] >= f1
            if with_f1 or not pairs.crowd[g]:
                fits &= ~taken[g]
            if unused[g]:
                fits &= (best < 0) | unused[best]
            best[fits] = g
            iou[fits] = pairs.ious[d, g]
            if with_f1:
                f1[fits] = pairs.f1[d, g]
        hits[..., d] = best >= 0
        for g in set(best[best >= 0].tolist()):
            taken[g] |= best == g
        outside = not low <= pairs.areas[d] <= high
        ignored[..., d] = np.where(best >= 0, unused[best], outside) \
            if len(unused) else outside
    return Matches(hits, ignored, int((~unused).sum()))


class Curves(NamedTuple):
    """Of one category, over all pictures.

    Attributes:
        precision (np.ndarray): ``(T, U, 101)`` at recalls of 0, 0.01 ... 1.
        recall (np.ndarray): ``(T, U)``, of all predictions.
    """
    precision: np.ndarray
    recall: np.ndarray


def join(scores: Sequence[np.ndarray], matches: Sequence[Matches],
         most: int) -> Optional[Curves]:
    """Precision and recall of a category.

    Args:
        scores (Sequence[np.ndarray]): Of each picture's predictions.
        matches (Sequence[Matches]): Of each picture.
        most (int): Predictions of a picture that count, the first.

    Returns:
        Curves, optional: None if there is no ordinary label.
    """
    labels = sum(one.labels for one in matches)
    if not labels:
        return None
    together = np.concatenate([own[:most] for own in scores])
    order = np.argsort(-together, kind='stable')
    hits, ignored = (
        np.concatenate([getattr(one, name)[..., :most]
                        for one in matches], -1)[..., order]
        for name in ('hits', 'ignored'))
    right = np.cumsum(hits & ~ignored, -1, dtype=np.float64)
    wrong = np.cumsum(~hits & ~ignored, -1, dtype=np.float64)
    recall = right / labels
    precision = right / (right + wrong + TINY)
    precision = np.maximum.accumulate(precision[..., ::-1], -1)[..., ::-1]
    grid = hits.shape[:2]
    curve, last = np.zeros((*grid, len(RECALLS))), np.zeros(grid)
    if len(order):
        last = recall[..., -1]
        for t, u in np.ndindex(*grid):
            places = recall[t, u].searchsorted(RECALLS)
            there = places < len(order)
            curve[t, u, there] = precision[t, u, places[there]]
    return Curves(curve, last)


class AttributeScores:
    """AP and AR of all categories, to be averaged in many ways.

    Args:
        curves (dict): ``(category, area, most predictions)`` to
            :class:`Curves`; those without a label are left out.
    """

    def __init__(self, curves: Dict[Tuple[int, str, int], Curves]) -> None:
        self.curves = curves

    def ap(self,
           iou: slice = STEP_PLACES,
           f1: slice = STEP_PLACES,
           area: str = 'all',
           categories: Optional[Sequence[int]] = None) -> Optional[float]:
        """Average precision.

        A category with attributes counts once for each F1, one without
        counts once.

        Args:
            iou (slice): Of :data:`THRESHOLDS`. Defaults to .5 to .95.
            f1 (slice): The same, of F1.
            area (str): Of :data:`AREAS`. Defaults to 'all'.
            categories (Sequence[int], optional): Defaults to None: all.

        Returns:
            float, optional: None if no category has a label.
        """
        return self._mean('precision', iou, f1, area, categories, MOST)

    def ar(self, most: int = MOST) -> Optional[float]:
        """Average recall over both conditions, .5 to .95.

        Args:
            most (int): Predictions of a category in a picture: 1, 10 or 100.
                Defaults to 100.
        """
        return self._mean('recall', STEP_PLACES, STEP_PLACES, 'all', None,
                          most)

    def _mean(self, name, iou, f1, area, categories, most):
        values = []
        for (category, own_area, own_most), curves in self.curves.items():
            wanted = categories is None or category in categories
            if wanted and (own_area, own_most) == (area, most):
                table = getattr(curves, name)
                columns = f1 if table.shape[1] > 1 else slice(0, 1)
                values.append(table[iou, columns].ravel())
        return float(np.concatenate(values).mean()) if values else None


def score(pictures: Dict[int, List[Pairs]]) -> AttributeScores:
    """Score all pictures.

    Args:
        pictures (dict[int, list[Pairs]]): By category, of each picture that
            shows or predicts it.

    Returns:
        AttributeScores: To be averaged.
    """
    curves = {}
    for category, pairs in pictures.items():
        scores = [one.scores for one in pairs]
        for area in AREAS:
            matches = [match(one, area) for one in pairs]
            for most in (1, 10, MOST) if area == 'all' else (MOST, ):
                found = join(scores, matches, most)
                if found is not None:
                    curves[category, area, most] = found
    return AttributeScores(curves)
