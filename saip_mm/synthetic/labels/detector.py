"""A person detector that errs, for files of detection results."""
from typing import List, Sequence, Tuple

import numpy as np

Found = Tuple[List[float], float]  # x, y, w, h and score
HARD = 26.  # pixels a side; half of the people that small are missed
NOISE = .075  # of a box's sides
FALSE_ALARMS = 6  # of a picture, on average
TRAPS = .55  # chance to take the picture of a person for one


def detect(rng: np.random.Generator, people: Sequence, traps: Sequence,
           size: Tuple[int, int]) -> List[Found]:
    """Make up what a detector finds in a picture.

    The published results on COCO reach a box AP of 56: most people are
    found, boxes are a few per cent off, the same person may be found again
    with a low score, and other things are taken for people. Scores tell good
    boxes from bad ones, though not always.

    Args:
        rng (Generator): Draws the errors.
        people (list): Boxes ``x, y, w, h`` of people who are seen.
        traps (list): Boxes of what looks like people.
        size (tuple[int, int]): Height and width of the picture.

    Returns:
        list[tuple]: Box and score in (0, 1], the surest first; boxes lie
        in the picture.
    """
    found = []
    for box in people:
        side = np.sqrt(box[2] * box[3])
        if rng.random() < .97 * side / (side + HARD * HARD / side):
            noise = NOISE * float(rng.gamma(2., .5))
            sure = 1 - 4 * noise * float(rng.random())**2
            sure -= .3 * float(rng.random())**6
            found.append((_shaken(rng, box, noise), sure))
        for _ in range(rng.integers(0, 4)):
            found.append((_shaken(rng, box, .16), .4 * float(rng.random())**2))
    for box in traps:
        if rng.random() < TRAPS:
            found.append((_shaken(rng, box, .1), float(rng.uniform(.1, .9))))
    for _ in range(rng.poisson(FALSE_ALARMS)):
        found.append((_anywhere(rng, size), .6 * float(rng.random())**4))
    inside = [(_clip(box, size), _score(sure)) for box, sure in found]
    inside = [(box, score) for box, score in inside if min(box[2:]) >= 2]
    return sorted(inside, key=lambda one: -one[1])


def _score(sure) -> float:
    return round(min(max(sure, .002), .9999), 4)


def _shaken(rng, box, noise):
    """Move every side by ``noise`` of the box's size, standard deviation."""
    x, y, w, h = box
    left, top, right, bottom = (float(v) for v in rng.normal(0, noise, 4))
    return x + left * w, y + top * h, w * (1 + right - left), h * (1 + bottom -
                                                                   top)


def _anywhere(rng, size):
    height, width = size
    h = height * float(rng.uniform(.1, .6))
    w = h * float(rng.uniform(.25, .7))
    return (float(rng.uniform(0, width - w)),
            float(rng.uniform(0, height - h)), w, h)


def _clip(box, size) -> List[float]:
    height, width = size
    x, y = max(box[0], 0.), max(box[1], 0.)
    right, bottom = min(box[0] + box[2], width), min(box[1] + box[3], height)
    return [round(float(v), 2) for v in (x, y, right - x, bottom - y)]
