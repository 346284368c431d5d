"""COCO's 17 joints and the 133 points of COCO-WholeBody, with visibility.

Visibility as in COCO: 0 outside the picture, or turned away from the camera
(face only), with x = y = 0; 1 hidden; 2 seen.
"""
from typing import List, NamedTuple, Tuple

import numpy as np

from ..people.figure import Figure
from ..people.layers import Layer
from ..people.parts import ID
from ..people.pose import INDEX, SIDES

FACE_LABELS = (ID['Face'], ID['Sunglasses'])
TURNED_AWAY = .08  # of the head's depth; less than this looks away
FAR_SIDE = -.055  # metres behind the trunk's middle
SEEN_THROUGH = dict(
    shoulder=('{}_upper_arm', 'torso'),
    elbow=('{}_upper_arm', '{}_forearm'),
    wrist=('{}_forearm', '{}_hand'),
    hip=('{}_thigh', 'pelvis', 'torso', 'skirt'),
    knee=('{}_thigh', '{}_shin', 'skirt'),
    ankle=('{}_shin', '{}_foot'))
FACE_17 = dict(
    nose=(0, -.18, .98),
    left_eye=(.42, -.02, .82),
    right_eye=(-.42, -.02, .82),
    left_ear=(.97, -.08, -.05),
    right_ear=(-.97, -.08, -.05))
COCO_NAMES = tuple(FACE_17) + tuple(f'{side}_{joint}' for joint in SEEN_THROUGH
                                    for side in SIDES)


class Spot(NamedTuple):
    """A landmark before it is known whether something hides it."""
    at: complex
    turned_away: bool
    regions: Tuple[str, ...]  # shapes which show it
    labels: Tuple[int, ...] = ()  # if not empty: also one of these parts


def coco_spots(fig: Figure) -> List[Spot]:
    """The 17 joints in COCO's order."""
    spots = []
    for name, xyz in FACE_17.items():
        at, depth = fig.head_point(*xyz)
        limit = -.012 if 'ear' in name else TURNED_AWAY * fig.head_half[2]
        spots.append(Spot(at, depth < limit, ('head', ), FACE_LABELS))
    middle = fig.z('pelvis', 'chest')
    for joint, regions in SEEN_THROUGH.items():
        for side in SIDES:
            name = f'{side}_{joint}'
            own = tuple(r.format(side) for r in regions)
            if joint in ('shoulder', 'hip') and (fig.z(name) - middle
                                                 < FAR_SIDE):
                own = own[:1]  # the trunk that is seen there hides it
            spots.append(Spot(fig[name], False, own))
    return spots


def wholebody_spots(fig: Figure) -> List[Spot]:
    """The 133 points in COCO-WholeBody's order."""
    spots = coco_spots(fig)
    for side in SIDES:
        spots += _foot(fig, side)
    for x, y, z in _FACE_68:
        at, depth = fig.head_point(x, y, z)
        away = depth < TURNED_AWAY * fig.head_half[2]
        spots.append(Spot(at, away, ('head', ), FACE_LABELS))
    for side in SIDES:
        spots += _hand(fig, side)
    return spots


def _foot(fig, side):
    """Big toe, small toe, heel."""
    h, out = fig.identity.body.height, 1. if side == 'left' else -1.
    toe, heel = (
        np.array(fig.body[INDEX[f'{side}_{j}']]) for j in ('toe', 'heel'))
    ahead = (toe - heel) / np.linalg.norm(toe - heel)
    outward = out * np.array([ahead[2], 0., -ahead[0]])
    points = (toe + .004 * h * ahead - .008 * h * outward,
              toe - .012 * h * ahead + .009 * h * outward, heel)
    return [
        Spot(fig.point(p.tolist())[0], False, (f'{side}_foot', ))
        for p in points
    ]


def _hand(fig, side):
    """Root, then thumb, fore-, middle, ring and little finger, 4 each."""
    wrist, tip = (
        np.array(fig.body[INDEX[f'{side}_{j}']]) for j in ('wrist', 'hand'))
    along = tip - wrist
    length = np.linalg.norm(along)
    along = along / length
    across = np.array([0., 0., 1.]) - along[2] * along  # thumbs look forward
    norm = np.linalg.norm(across)
    across = across / norm if norm > .2 else np.array([1., 0., 0.])
    points = [wrist + .06 * length * along]
    for j in range(4):
        points.append(wrist + length * ((.15 + .13 * j) * along +
                                        (.10 + .025 * j) * across))
    for finger in range(4):
        for j in range(4):
            reach = (.40, .52, .62, .70)[j] - .03 * abs(finger - 1)
            points.append(wrist + length * (reach * along +
                                            (.09 - .06 * finger) * across))
    return [
        Spot(fig.point(p.tolist())[0], False, (f'{side}_hand', ))
        for p in points
    ]


def _face_template():
    """68 points in head units: x to the person's left, y up, z ahead."""
    t = np.linspace(-1, 1, 17) * np.pi / 2
    points = [(.80 * np.sin(a), -.10 - .76 * np.cos(a), .20 + .52 * np.cos(a))
              for a in t]
    for xs in (np.linspace(-.66, -.18, 5), np.linspace(.18, .66, 5)):
        points += [(x, .25 - .5 * (abs(x) - .42)**2, .84) for x in xs]
    points += [(0., y, z)
               for y, z in ((.02, .86), (-.06, .92), (-.13, .97), (-.20, .99))]
    points += [(x, -.30, .93 - abs(x)) for x in np.linspace(-.16, .16, 5)]
    eye = ((-.14, 0.), (-.05, .05), (.05, .05), (.14, 0.), (.05, -.05), (-.05,
                                                                         -.05))
    for centre in (-.42, .42):
        points += [(centre + x, -.02 + y, .80) for x, y in eye]
    for wide, high, count in ((.28, .08, 12), (.20, .03, 8)):
        # From the right corner over the upper to the lower lip.
        turn = np.pi - np.arange(count) * 2 * np.pi / count
        points += [(wide * np.cos(a), -.56 + high * np.sin(a), .82)
                   for a in turn]
    return tuple((float(x), float(y), float(z)) for x, y, z in points)


_FACE_68 = _face_template()


def resolve(spots: List[Spot], person: int, ids: np.ndarray,
            layers: List[Layer]) -> np.ndarray:
    """Find out which landmarks are seen.

    Args:
        spots (list[Spot]): Landmarks of one person.
        person (int): Its number in the scene.
        ids (np.ndarray): ``(H, W)`` map of layers, see ``Rendered.ids``.
        layers (list[Layer]): The layers.

    Returns:
        np.ndarray: ``(N, 3)`` float64: x, y in pixels, visibility.
    """
    height, width = ids.shape
    points = np.zeros((len(spots), 3))
    for row, spot in zip(points, spots):
        x, y = int(round(spot.at.real)), int(round(spot.at.imag))
        if spot.turned_away or not (0 <= x < width and 0 <= y < height):
            continue
        number = int(ids[y, x])
        layer = layers[number - 1] if number else None
        seen = (
            layer is not None and layer.owner == person
            and layer.region in spot.regions
            and (not spot.labels or layer.label in spot.labels))
        # Rounded borders may put a point half a pixel outside.
        row[:] = (min(max(spot.at.real, 0),
                      width - 1), min(max(spot.at.imag, 0),
                                      height - 1), 2 if seen else 1)
    return points
