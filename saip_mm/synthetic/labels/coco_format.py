"""Labels of people as COCO and COCO-WholeBody write them."""
import json
from typing import Iterable, List, Sequence

import cv2
import numpy as np

from ...weights import write_file
from .landmarks import COCO_NAMES
from .people_labels import PersonLabels, mask_box

# Pairs count from 1, as in COCO's files.
SKELETON = ((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13),
            (6, 7), (6, 8), (7, 9), (8, 10), (9, 11), (2, 3), (1, 2), (1, 3),
            (2, 4), (3, 5), (4, 6), (5, 7))
CATEGORY = dict(
    supercategory='person',
    id=1,
    name='person',
    keypoints=list(COCO_NAMES),
    skeleton=[list(pair) for pair in SKELETON])
# Rows of the 133 points, as COCO-WholeBody splits them.
FEET = slice(17, 23)
BOXED = dict(
    face=slice(23, 91), lefthand=slice(91, 112), righthand=slice(112, 133))
LEGIBLE = 400.  # pixels of a person; annotators leave out smaller ones' joints
PART_SIDE = 5.  # pixels; the same for faces and hands
PART_SEEN = .35  # of a face's or hand's points
ZOOM = 4  # sub-pixels of outlines
SLACK = .6  # pixels an outline may be off


def polygons(mask: np.ndarray) -> List[List[float]]:
    """Outlines of a mask; as in COCO, holes are filled.

    Args:
        mask (np.ndarray): ``(H, W)`` bool, not empty.

    Returns:
        list[list[float]]: ``x1, y1, x2, y2 ...`` of each piece, in pixels;
        (0, 0) is the upper left corner of the first pixel.

    Example:
        >>> mask = np.zeros((4, 5), bool)
        >>> mask[1:3, 1:4] = True
        >>> polygons(mask)
        [[1.0, 1.0, 1.0, 3.0, 4.0, 3.0, 4.0, 1.0]]
    """
    x, y, w, h = (int(v) for v in mask_box(mask))
    piece = mask[y:y + h, x:x + w].astype(np.uint8)
    # OpenCV joins the centres of border pixels: on a fine grid, and with one
    # sub-pixel on the far sides, these are the pixels' edges.
    fine = cv2.resize(
        piece, (ZOOM * w, ZOOM * h), interpolation=cv2.INTER_NEAREST)
    fine = cv2.dilate(
        cv2.copyMakeBorder(fine, 0, 1, 0, 1, cv2.BORDER_CONSTANT),
        np.ones((2, 2), np.uint8),
        anchor=(1, 1))
    found = cv2.findContours(fine, cv2.RETR_EXTERNAL,
                             cv2.CHAIN_APPROX_SIMPLE)[0]
    lines = [cv2.approxPolyDP(line, SLACK * ZOOM, True) for line in found]
    return [(line[:, 0] / ZOOM + (x, y)).reshape(-1).tolist() for line in lines
            if len(line) > 2]


def run_lengths(mask: np.ndarray) -> dict:
    """COCO's uncompressed RLE: runs of 0 and 1 in turn, column by column.

    Example:
        >>> run_lengths(np.array([[1, 0], [1, 1]], bool))
        {'counts': [0, 2, 1, 1], 'size': [2, 2]}
    """
    pixels = mask.T.reshape(-1)
    borders = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    runs = np.diff(np.concatenate(([0], borders, [pixels.size]))).tolist()
    return dict(
        counts=[0] + runs if pixels[0] else runs, size=list(mask.shape))


def person_annotation(person: PersonLabels, number: int, image: int) -> dict:
    """Annotation of COCO's keypoint files.

    Args:
        person (PersonLabels): Somebody who is seen.
        number (int): Id of the annotation.
        image (int): Id of the picture.

    Returns:
        dict: See the specification of COCO's format. Very small people
        have no joints.
    """
    points = np.rint(person.keypoints).astype(int)
    area = int(person.mask.sum())
    if area < LEGIBLE or not (points[:, 2] == 2).any():
        points[:] = 0
    return dict(
        segmentation=polygons(person.mask),
        num_keypoints=int((points[:, 2] > 0).sum()),
        area=area,
        iscrowd=0,
        keypoints=points.reshape(-1).tolist(),
        image_id=image,
        bbox=[round(v, 2) for v in person.visible_box],
        category_id=1,
        id=number)


def crowd_annotation(mask: np.ndarray, number: int, image: int) -> dict:
    """Annotation of people who are not told apart: ``iscrowd`` 1."""
    return dict(
        segmentation=run_lengths(mask),
        num_keypoints=0,
        area=int(mask.sum()),
        iscrowd=1,
        keypoints=[0] * 51,
        image_id=image,
        bbox=list(mask_box(mask)),
        category_id=1,
        id=number)


def wholebody_parts(points: np.ndarray) -> dict:
    """What COCO-WholeBody adds to an annotation.

    Args:
        points (np.ndarray): ``(133, 3)``: x, y, visibility. All zeros gives
            parts that are not valid.

    Returns:
        dict: Points and validity of feet, face and hands; boxes of face
        and hands.
    """
    feet = np.rint(points[FEET]).astype(int)
    seen = bool((feet[:, 2] == 2).any())
    found = dict(foot_kpts=(feet * seen).reshape(-1).tolist(), foot_valid=seen)
    for name, rows in BOXED.items():
        box, part = _boxed_part(points[rows])
        found[f'{name}_box'] = box
        found[f'{name}_kpts'] = part.round(2).reshape(-1).tolist()
        found[f'{name}_valid'] = any(box)
    return found


def _boxed_part(points):
    """Box and points of a face or hand; zeros if it cannot be made out.

    The visibility of a labelled point is 1.0, as in the published files.
    """
    points = points.astype(np.float64)
    known = points[:, 2] > 0
    nothing = [0.] * 4, np.zeros_like(points)
    if (points[:, 2] == 2).mean() < PART_SEEN:
        return nothing
    low, high = points[known, :2].min(0), points[known, :2].max(0)
    if (high - low).max() < PART_SIDE:
        return nothing
    points[:, 2] = known
    margin = .1 * (high - low).max()
    x, y = np.maximum(low - margin, 0)
    w, h = high + margin - (x, y)
    return [round(float(v), 2) for v in (x, y, w, h)], points


def write_coco(path: str,
               images: Iterable[str],
               annotations: Iterable[str],
               categories: Sequence[dict] = (CATEGORY, ),
               **more) -> None:
    """Write a file of COCO's kind.

    Args:
        path (str): Of the file.
        images, annotations (iterable[str]): JSON text of each: large sets
            would not fit in memory as objects.
        categories (Sequence[dict]): Defaults to persons.
        more: What else the file holds, by name.
    """
    facts = dict(
        info=dict(description='rendered people', version='1.0'),
        licenses=[],
        categories=list(categories),
        **more)
    parts = [json.dumps(facts)[:-1]]
    for name, entries in (('images', images), ('annotations', annotations)):
        parts.append(f', "{name}": [\n' + ',\n'.join(entries) + ']')
    write_file(path, ''.join([*parts, '}\n']).encode())
