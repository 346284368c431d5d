"""Jaccard index of CrowdHuman: found and labelled persons as sets.

Source:
    CrowdDet's evaluation. mmdet's copy pairs at an overlap of the threshold,
    not above it, and takes the largest number of pairs where CrowdDet takes
    those of the largest total overlap.
"""
from typing import Tuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from .crowd_scores import EPS, overlaps

SCORES = tuple(0.1 * i for i in range(10))  # detections above count; the best


def pair_up(iou: np.ndarray,
            threshold: float) -> Tuple[np.ndarray, np.ndarray]:
    """Pair detections and persons so that their overlaps sum up to the most.

    Args:
        iou (np.ndarray): ``(n, m)`` overlaps of detections with persons.
        threshold (float): Strictly to be exceeded by a pair.

    Returns:
        tuple[np.ndarray, np.ndarray]: Numbers of the detections and of their
        persons, ``(k, )`` each.
    """
    weights = np.where(iou > threshold, iou, 0.)
    rows = np.flatnonzero(weights.any(1))  # few: the rest can pair with nobody
    if not rows.size:
        return rows, rows
    found, persons = linear_sum_assignment(weights[rows], maximize=True)
    paired = weights[rows[found], persons] > 0
    return rows[found[paired]], persons[paired]


class JaccardIndex:
    """Mean Jaccard index of pictures, at the best of ten score thresholds.

    One picture after the other is added; nothing of them is kept. In each,
    detections above a score are paired with persons, see :func:`pair_up`.
    Of those left alone, detections and persons lying by more than
    ``threshold`` of their area in an ignored region do not count. With k
    pairs, n detections, m persons: k / (n + m - k). Pictures in which nothing
    counts are left out of the mean.

    Args:
        threshold (float): Overlap that a pair must exceed, and share of a box
            in an ignored region. Defaults to 0.5.

    Example:
        >>> index, box = JaccardIndex(), np.array([[0., 0., 10., 10.]])
        >>> index.add(box, np.array([0.9]), box, np.zeros((0, 4)))
        >>> round(index.value(), 4)
        1.0
    """

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold
        self.sums = np.zeros(len(SCORES))
        self.pictures = np.zeros(len(SCORES), dtype=np.int64)

    def add(self, detections: np.ndarray, scores: np.ndarray,
            persons: np.ndarray, ignored: np.ndarray) -> None:
        """Add a picture.

        Args:
            detections (np.ndarray): ``(n, 4)`` clipped boxes.
            scores (np.ndarray): ``(n, )``.
            persons (np.ndarray): ``(m, 4)`` clipped boxes.
            ignored (np.ndarray): ``(k, 4)`` clipped boxes.
        """
        iou, _ = overlaps(detections, persons)
        lost = self._inside(detections, ignored)
        hidden = self._inside(persons, ignored)
        before, counts = None, (0, 0, 0)
        for index, score in enumerate(SCORES):
            kept = np.flatnonzero(scores > score)
            if len(kept) != before:  # else the same detections as before
                before = len(kept)
                counts = self._count(iou[kept], lost[kept], hidden)
            pairs, found, wanted = counts
            self.sums[index] += pairs / (found + wanted - pairs + EPS)
            self.pictures[index] += found > 0 or wanted > 0

    def _inside(self, boxes: np.ndarray, ignored: np.ndarray) -> np.ndarray:
        _, share = overlaps(boxes, ignored)
        return (share > self.threshold).any(1)

    def _count(self, iou: np.ndarray, lost: np.ndarray,
               hidden: np.ndarray) -> Tuple[int, int, int]:
        """Pairs, detections and persons that count."""
        rows, columns = pair_up(iou, self.threshold)
        alone, missed = np.ones(len(lost), bool), np.ones(len(hidden), bool)
        alone[rows], missed[columns] = False, False
        return (len(rows), len(lost) - int(
            (lost & alone).sum()), len(hidden) - int((hidden & missed).sum()))

    def value(self) -> float:
        """The index in [0, 1]; 0 if nothing counted in any picture."""
        return float((self.sums / np.maximum(self.pictures, 1)).max())
