"""Average precision and log-average miss rate of CrowdHuman.

Source:
    CrowdDet's evaluation, which mmdet copies; here in float64, and not
    rounded.
"""
from typing import NamedTuple, Sequence

import numpy as np

EPS = 1e-6  # CrowdDet adds it to the denominators of overlaps
# false positives a picture at which the miss rate is read: MR^-2, MR^-4
FPPI = (0.0100, 0.0178, 0.03160, 0.0562, 0.1000, 0.1778, 0.3162, 0.5623, 1.000)
FPPI_4 = (0.0001, 0.0003, 0.00100, 0.0032, 0.0100, 0.0316, 0.1000, 0.3162,
          1.000)


class Detections(NamedTuple):
    """Detections of one or all pictures that count.

    Attributes:
        scores (np.ndarray): ``(n, )`` float64, descending.
        hits (np.ndarray): ``(n, )`` bool, whether a person was found.
    """
    scores: np.ndarray
    hits: np.ndarray


def clip_boxes(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Clip boxes to a picture, the near corner to its last pixel.

    Args:
        boxes (np.ndarray): ``(n, 4)`` x1, y1, x2, y2 in pixels.
        height (int): Of the picture.
        width (int): Of the picture.

    Returns:
        np.ndarray: ``(n, 4)`` float64; x1 at most width - 1, x2 at most
        width.

    Example:
        >>> clip_boxes(np.array([[-3., 2., 9., 9.]]), height=5, width=8)
        array([[0., 2., 8., 5.]])
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    near = np.clip(boxes[:, :2], 0, [width - 1, height - 1])
    far = np.clip(boxes[:, 2:], 0, [width, height])
    return np.concatenate([near, far], 1)


def overlaps(first: np.ndarray, second: np.ndarray) -> tuple:
    """Intersection over union, and over the area of the first.

    Args:
        first (np.ndarray): ``(n, 4)`` x1, y1, x2, y2.
        second (np.ndarray): ``(m, 4)``.

    Returns:
        tuple[np.ndarray, np.ndarray]: Each ``(n, m)`` float64.
    """
    near = np.maximum(first[:, None, :2], second[None, :, :2])
    far = np.minimum(first[:, None, 2:], second[None, :, 2:])
    inter = np.clip(far - near, 0, None).prod(2)
    area = np.clip(first[:, 2:] - first[:, :2], 0, None).prod(1)[:, None]
    other = np.clip(second[:, 2:] - second[:, :2], 0, None).prod(1)[None]
    return inter / (area + other - inter + EPS), inter / (area + EPS)


def match(detections: np.ndarray,
          scores: np.ndarray,
          persons: np.ndarray,
          ignored: np.ndarray,
          threshold: float = 0.5) -> Detections:
    """Compare one picture's detections with its labels.

    In the order of their scores, each detection takes the person it overlaps
    most among those not taken yet, by more than ``threshold``. One that finds
    nobody is dropped if more than ``threshold`` of it lies in an ignored
    region, which can absorb any number; else it is false.

    Args:
        detections (np.ndarray): ``(n, 4)`` clipped boxes.
        scores (np.ndarray): ``(n, )``.
        persons (np.ndarray): ``(m, 4)`` clipped boxes in file order.
        ignored (np.ndarray): ``(k, 4)`` clipped boxes.
        threshold (float): Strictly to be exceeded. Defaults to 0.5.

    Returns:
        Detections: Those not dropped.
    """
    order = np.argsort(-scores, kind='stable')
    iou, _ = overlaps(detections, persons)
    _, covered = overlaps(detections, ignored)
    dropped = (covered > threshold).any(1)
    kept, hits = [], []
    for index in order:
        row = iou[index]
        best = row.argmax() if row.size else 0
        hit = row.size > 0 and row[best] > threshold
        if hit:
            iou[:, best] = -1  # taken
        if hit or not dropped[index]:
            kept.append(index)
            hits.append(hit)
    return Detections(scores[kept], np.array(hits, dtype=bool))


def join(pictures: list) -> Detections:
    """Join pictures, in file order, by descending score; ties stay."""
    scores = np.concatenate([p.scores for p in pictures] or [np.zeros(0)])
    hits = np.concatenate([p.hits for p in pictures] or [np.zeros(0, bool)])
    order = np.argsort(-scores, kind='stable')
    return Detections(scores[order], hits[order].astype(bool))


def crowd_scores(detections: Detections,
                 num_persons: int,
                 num_pictures: int,
                 fppi: Sequence[float] = FPPI) -> dict:
    """Average precision, log-average miss rate, recall.

    Args:
        detections (Detections): Of all pictures.
        num_persons (int): Labels that are not ignored.
        num_pictures (int): Pictures, those without detections included.
        fppi (Sequence[float]): False positives a picture at which the miss
            rate is read. Defaults to those of MR^-2.

    Returns:
        dict[str, float]: ``mAP``, trapezoids under precision over recall
        from the first detection on; ``mMR`` (MR^-2), the geometric mean of
        the miss rates at nine rates of false positives (0 if one of them is
        0); ``recall`` of all
        detections. Fractions. Nothing detected: 0, 1, 0.

    Raises:
        ValueError: If there is no person.

    Example:
        >>> one_of_two = Detections(np.array([0.9]), np.array([True]))
        >>> crowd_scores(one_of_two, 2, 1)
        {'mAP': 0.0, 'mMR': 0.5, 'recall': 0.5}
    """
    if num_persons <= 0:
        raise ValueError('no person to evaluate: are all boxes ignored?')
    if not len(detections.hits):
        return dict(mAP=0., mMR=1., recall=0.)
    found = np.cumsum(detections.hits)
    false = np.cumsum(~detections.hits)
    recall, precision = found / num_persons, found / (found + false)
    area = np.sum(np.diff(recall) * (precision[1:] + precision[:-1]) / 2)
    first = np.searchsorted(false / num_pictures, fppi)  # with fppi >= f
    miss = 1 - recall[np.minimum(first, len(recall) - 1)]
    rate = np.exp(np.log(miss).mean()) if (miss > 0).all() else 0.
    return dict(mAP=float(area), mMR=float(rate), recall=float(recall[-1]))
