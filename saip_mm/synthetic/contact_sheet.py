"""A picture to look at: people with what the labels say about them."""
import os.path as osp
from typing import Tuple

import cv2
import numpy as np

from ..datasets.prepare.output import check_writable
from ..weights import write_file
from .labels.people_labels import PersonLabels, SceneLabels, mask_box
from .people.parts import PALETTE
from .scene.scene import CropOptions, Scene, crop_scene
from .scene.street import StreetOptions, street_scene

BONES = ((0, 1), (0, 2), (1, 3), (2, 4), (5, 6), (5, 7), (7, 9), (6, 8), (8,
                                                                          10),
         (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16))
LEFT, RIGHT, MIDDLE = (80, 220, 80), (255, 140, 40), (250, 230, 80)
HIDDEN = (140, 140, 140)
BOXES = dict(
    full_box=(255, 80, 80),
    visible_box=(80, 255, 255),
    full_head_box=(255, 255, 80))
UNLABELLED = (255, 80, 255)
STREAM = 900
STREETS = (StreetOptions((3, 4), spread=4,
                         crowd=1.), StreetOptions((8, 12), poster=1.))


def draw_labels(image: np.ndarray, person: PersonLabels) -> np.ndarray:
    """Draw boxes, bones and landmarks of one person.

    Green is the person's left, orange the right, grey is hidden; red, cyan
    and yellow boxes are the full, visible and full head box.

    Args:
        image (np.ndarray): ``(H, W, 3)`` uint8, RGB.
        person (PersonLabels): See there.

    Returns:
        np.ndarray: A copy with the drawing.
    """
    image = np.ascontiguousarray(image).copy()
    for name, color in BOXES.items():
        box = getattr(person, name)
        if box is not None:
            _draw_box(image, box, color)
    points = person.wholebody
    for a, b in BONES:
        if points[a, 2] and points[b, 2]:
            seen = min(points[a, 2], points[b, 2]) > 1
            color = _side(b) if seen else HIDDEN
            cv2.line(image, _pixel(points[a]), _pixel(points[b]), color, 1,
                     cv2.LINE_AA)
    for i, point in enumerate(points):
        if point[2] and (i < 17 or point[2] == 2):
            color = _side(i) if point[2] == 2 else HIDDEN
            cv2.circle(image, _pixel(point), 2 if i < 17 else 0, color, -1)
    return image


def _draw_box(image, box, color) -> np.ndarray:
    x, y, w, h = (int(v) for v in box)
    image = np.ascontiguousarray(image)
    return cv2.rectangle(image, (x, y), (x + w - 1, y + h - 1), color, 1)


def _pixel(point) -> Tuple[int, int]:
    return int(round(point[0])), int(round(point[1]))


def _side(i: int):
    if 0 < i < 17:
        return LEFT if i % 2 else RIGHT
    return MIDDLE


def draw_parts(image: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Blend LIP's colours over a picture."""
    colors = np.array(PALETTE, np.uint8)[parts]
    return cv2.addWeighted(image, .35, colors, .65, 0)


def _panels(scene: Scene) -> np.ndarray:
    """Photograph, landmarks and parts side by side."""
    rendered = scene.render()
    labels = SceneLabels(scene, rendered)
    image, drawn = scene.photograph(rendered), rendered.image
    parts = draw_parts(drawn, labels.parts())
    for mask in labels.unlabelled().values():
        drawn = _draw_box(drawn, mask_box(mask), UNLABELLED)
    for person in labels.people(garments=False):
        if person.visible_box is not None:
            drawn = draw_labels(drawn, person)
    return np.hstack([image, drawn, parts])


def contact_sheet(seed: int = 0,
                  rows: int = 4,
                  columns: int = 6,
                  height: int = 256) -> np.ndarray:
    """Draw crops and street scenes with their labels.

    Args:
        seed (int): Of the data set. Defaults to 0.
        rows (int): Of crops; a row of streets follows, one of which has
            few people with labels, one many. Defaults to 4.
        columns (int): Crops in a row; each takes three panels.
        height (int): Of a crop, in pixels. Defaults to 256.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8, RGB.
    """
    options = CropOptions(heights=(height, height), aspect=.5)
    lines = []
    for row in range(rows):
        rng = np.random.default_rng([STREAM, seed, row])
        lines.append(
            np.hstack([
                _panels(crop_scene(rng, 'train', options, seed=seed))
                for _ in range(columns)
            ]))
    rng = np.random.default_rng([STREAM, seed, rows])
    # As wide as the rows above: two streets of three panels.
    width = columns * height // 4
    lines.append(
        np.hstack([
            _panels(
                street_scene(rng, 'train', (height * 5 // 4, width), options,
                             seed)) for options in STREETS
        ]))
    return np.vstack([line[:, :lines[0].shape[1]] for line in lines])


def save_contact_sheet(path: str, seed: int = 0) -> None:
    """Write the sheet as PNG or JPEG.

    Raises:
        OSError: If it cannot be written.
    """
    path = osp.expanduser(path)
    suffix = osp.splitext(path)[1].lower()
    if suffix not in ('.png', '.jpg', '.jpeg'):
        raise OSError(f"cannot write '{path}': name it .png or .jpg")
    check_writable(path)
    data = cv2.imencode(suffix, contact_sheet(seed)[..., ::-1])[1]
    write_file(path, data.tobytes())
