"""How well persons and their parts were found: AP^p, PCP and mIoU.

Source:
    Parsing R-CNN's evaluation, here by counts within the persons' crops
    alone, in integers until the last division.
"""
from typing import Dict, List, NamedTuple, Sequence

import numpy as np

from .parts import split_map
from .person_crops import Parsing

# written out: 3 * 0.1 is no 0.3
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
HALF = THRESHOLDS.index(0.5)


class Matches(NamedTuple):
    """What is kept of a picture for AP^p and PCP: small, whatever its size.

    Attributes:
        scores (np.ndarray): ``(n, )`` float64 of the persons found.
        best (np.ndarray): ``(n, )`` int64, the annotated person each is most
            like, counted from 0; -1 if there is none.
        overlaps (np.ndarray): ``(n, )`` float64, how much.
        hits (np.ndarray): ``(n, 9)`` uint8, parts that overlap with those of
            that person by more than each threshold.
        parts (np.ndarray): ``(m, )`` int64, parts that each annotated person
            shows, the background aside.
    """
    scores: np.ndarray
    best: np.ndarray
    overlaps: np.ndarray
    hits: np.ndarray
    parts: np.ndarray


def part_overlaps(parsing: Parsing, joined: np.ndarray, areas: np.ndarray,
                  num_parts: int) -> np.ndarray:
    """Overlap of a person found with each annotated one, part by part.

    Args:
        parsing (tuple): ``x0, y0, crop``, ``(h, w)`` parts in the picture.
        joined (np.ndarray): ``(H, W)`` int32, see :func:`join_maps`.
        areas (np.ndarray): ``(m, K)`` pixels of the parts of the annotated
            persons, from number 1 on; that of the background is not read.
        num_parts (int): K.

    Returns:
        np.ndarray: ``(m, K)`` float64 intersection over union in the whole
        picture, the background's among them; NaN for parts that neither has.
    """
    x0, y0, crop = parsing
    here = joined[y0:y0 + crop.shape[0], x0:x0 + crop.shape[1]]
    parts, humans = split_map(here, num_parts)
    size = len(areas) * num_parts
    same = here[(parts == crop) & (here > 0)]
    both = np.bincount(same, minlength=size).reshape(-1, num_parts)
    own = np.bincount(crop.ravel(), minlength=num_parts)
    union = own + areas - both
    # neither shows anything / at least one shows nothing
    shown = np.bincount(humans[crop > 0], minlength=len(areas) + 1)[1:]
    either = own[1:].sum() + areas[:, 1:].sum(1) - shown
    both[:, 0] = joined.size - either
    union[:, 0] = joined.size - shown
    with np.errstate(invalid='ignore'):
        return both / union


def match_persons(parsings: Sequence[Parsing], scores: np.ndarray,
                  joined: np.ndarray, num_parts: int) -> Matches:
    """Compare the persons found in a picture with those annotated.

    Args:
        parsings (Sequence[tuple]): ``x0, y0, crop``, each in the picture.
        scores (np.ndarray): ``(n, )``.
        joined (np.ndarray): ``(H, W)`` int32, see :func:`join_maps`.
        num_parts (int): K.

    Returns:
        Matches: In the order of ``parsings``.
    """
    counts = np.bincount(joined.ravel(), minlength=num_parts)
    counts[0] = 0
    counts = np.pad(counts, (0, -len(counts) % num_parts))
    every = counts.reshape(-1, num_parts)
    there = every.any(1)
    best = np.full(len(parsings), -1)
    overlaps = np.zeros(len(parsings))
    hits = np.zeros((len(parsings), len(THRESHOLDS)), dtype=np.uint8)
    for index, parsing in enumerate(parsings if there.any() else ()):
        iou = part_overlaps(parsing, joined, every, num_parts)[there]
        means = np.nanmean(iou, 1)
        best[index] = means.argmax()
        overlaps[index] = means[best[index]]
        parts = np.nan_to_num(iou[best[index], 1:])
        hits[index] = (parts[:, None] > THRESHOLDS).sum(0)
    shown = (every[there] > 0).sum(1)
    return Matches(
        np.asarray(scores, dtype=np.float64), best, overlaps, hits, shown)


def person_scores(pictures: Sequence[Matches],
                  min_score: float = 0.001) -> Dict[str, np.ndarray]:
    """AP^p and PCP at the nine thresholds.

    In the order of their scores, persons found are true where their overlap
    is above the threshold and the annotated person they are most like was
    not found before; nobody else is tried. AP is the area under the
    precision over recall, made to fall. PCP is the share of a person's parts
    that were found, 0 if the person was not, averaged over all.

    Args:
        pictures (Sequence[Matches]): In the order of the index, which
            decides between equal scores.
        min_score (float): Persons of a lower score are left out. Defaults to
            0.001.

    Returns:
        dict: ``AP`` and ``PCP``, ``(9, )`` float64 fractions.

    Raises:
        ValueError: If nobody is annotated.
    """
    first = np.cumsum([0] + [len(p.parts) for p in pictures])
    parts = np.concatenate([p.parts for p in pictures] or [[]])
    if not len(parts):
        raise ValueError('no person to evaluate')
    numbered = [
        p._replace(best=np.where(p.best < 0, -1, p.best + start))
        for p, start in zip(pictures, first)
    ]
    scores, best, overlaps, hits, _ = map(np.concatenate, zip(*numbered))
    order = np.argsort(-scores, kind='stable')
    order = order[scores[order] >= min_score]
    best, overlaps, hits = best[order], overlaps[order], hits[order]
    precision, found = [], []
    for number, threshold in enumerate(THRESHOLDS):
        near = np.flatnonzero((overlaps > threshold) & (best >= 0))
        persons, at = np.unique(best[near], return_index=True)
        true = np.zeros(len(order), dtype=bool)
        true[near[at]] = True
        precision.append(average_precision(true, len(parts)))
        shares = hits[near[at], number] / np.maximum(parts[persons], 1)
        found.append(shares.sum() / len(parts))
    return dict(AP=np.array(precision), PCP=np.array(found))


def average_precision(true: np.ndarray, total: int) -> float:
    """Area under precision over recall, at all points.

    Args:
        true (np.ndarray): ``(n, )`` bool, best first.
        total (int): How many there are to be found.

    Returns:
        float: 0 to 1.

    Example:
        >>> average_precision(np.array([True, False, True]), 2)
        0.8333333333333333
    """
    hits = np.cumsum(true)
    precision = hits / np.arange(1, len(true) + 1)
    # the best precision at this recall or any higher
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(precision[true].sum() / total)


def paint_persons(parsings: Sequence[Parsing], scores: Sequence[float],
                  height: int, width: int, score_thr: float) -> np.ndarray:
    """One map of parts of all persons, the surer ones over the others.

    Args:
        parsings (Sequence[tuple]): ``x0, y0, crop``.
        scores (Sequence[float]): Of each.
        height (int): Of the picture.
        width (int): Of the picture.
        score_thr (float): Persons below are left out.

    Returns:
        np.ndarray: ``(height, width)`` uint8.
    """
    painted = np.zeros((height, width), dtype=np.uint8)
    scores = np.asarray(scores)
    for index in np.argsort(scores, kind='stable'):
        if scores[index] >= score_thr:
            x0, y0, crop = parsings[index]
            place = painted[y0:y0 + crop.shape[0], x0:x0 + crop.shape[1]]
            np.copyto(place, crop, where=crop > 0)
    return painted


def check_parsings(parsings: List[Parsing], size: tuple, num_parts: int,
                   name: str) -> None:
    """Refuse what lies outside of its picture, or parts that are none.

    Raises:
        ValueError: Naming the picture and the person.
    """
    height, width = size
    for index, (x0, y0, crop) in enumerate(parsings):
        rows, columns = crop.shape
        if x0 < 0 or y0 < 0 or x0 + columns > width or y0 + rows > height:
            raise ValueError(
                f'{name}: person {index} covers columns {x0} to '
                f'{x0 + columns} and rows {y0} to {y0 + rows}, beyond the '
                f'picture of {height}x{width} (height x width): clip it where '
                'it is predicted')
        if crop.size and crop.max() >= num_parts:
            raise ValueError(f'{name}: person {index} has a part '
                             f'{int(crop.max())}; there are 0-{num_parts - 1}')
