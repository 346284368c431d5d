"""How well attributes are told: by attribute, and by picture."""
from typing import Dict, NamedTuple

import numpy as np

TINY = 1e-20  # in every denominator, so that 0 / 0 is 0


class AttributeScores(NamedTuple):
    """Scores in [0, 1], float64.

    Attributes:
        mean (dict[str, float]): ``mA``, ``Acc``, ``Prec``, ``Rec``, ``F1``.
        each (dict[str, np.ndarray]): By attribute, ``(M, )``: ``share`` of
            positives, ``posrec`` and ``negrec`` (of those who have it, or
            not, the share told right), their mean ``mA``, ``prec``, ``acc``
            and ``F1``.
    """
    mean: Dict[str, float]
    each: Dict[str, np.ndarray]


def attribute_scores(labels: np.ndarray,
                     probabilities: np.ndarray,
                     thr: float = 0.5) -> AttributeScores:
    """Mean accuracy (mA) over attributes, and instance scores over pictures.

    An attribute is told to be there if its probability is greater than
    ``thr``. Nothing is left out: an attribute that no picture has, or all
    have, has an mA of 0.5 at most, and a picture without attributes a recall
    of 0. F1 is that of the mean precision and recall.

    Args:
        labels (np.ndarray): ``(N, M)``: 1, 0, or -1 where nobody said, which
            counts neither for nor against an attribute; what is told there
            still counts for the picture.
        probabilities (np.ndarray): ``(N, M)`` in [0, 1].
        thr (float): Defaults to 0.5.

    Returns:
        AttributeScores: See there.

    Raises:
        ValueError: If shapes differ, or there is nothing.

    Source:
        The metrics of "Rethinking of PAR" (valencebond/Rethinking_of_PAR @
        0baa462), corners included.

    Example:
        >>> labels = np.array([[1, 0], [0, 1]])
        >>> scores = attribute_scores(labels, np.array([[.9, .6], [.2, .7]]))
        >>> scores.mean['mA'], scores.mean['Prec']
        (0.75, 0.75)
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if labels.shape != probabilities.shape or labels.ndim != 2:
        raise ValueError(f'scores {probabilities.shape} but labels '
                         f'{labels.shape}')
    if not labels.size:
        raise ValueError('nothing to evaluate: no pictures came in')
    has, has_not, told = labels == 1, labels == 0, probabilities > thr
    each = _by_attribute(has, has_not, told)
    mean = dict(mA=float(each['mA'].mean()), **_by_picture(has, told))
    return AttributeScores(mean, each)


def _by_attribute(has, has_not, told) -> Dict[str, np.ndarray]:
    positives, negatives = has.sum(0), has_not.sum(0)
    right = (has & told).sum(0)
    wrong = (has_not & told).sum(0)
    missed = positives - right
    posrec = right / (positives + TINY)
    negrec = (negatives - wrong) / (negatives + TINY)
    prec = right / (right + wrong + TINY)
    return dict(
        share=positives / (positives + negatives + TINY),
        posrec=posrec,
        negrec=negrec,
        mA=(posrec + negrec) / 2,
        prec=prec,
        acc=right / (right + wrong + missed + TINY),
        F1=2 * prec * posrec / (prec + posrec + TINY))


def _by_picture(has, told) -> Dict[str, float]:
    both = (has & told).sum(1)
    acc = float((both / ((has | told).sum(1) + TINY)).mean())
    prec = float((both / (told.sum(1) + TINY)).mean())
    rec = float((both / (has.sum(1) + TINY)).mean())
    return dict(
        Acc=acc, Prec=prec, Rec=rec, F1=2 * prec * rec / (prec + rec + TINY))
