import cv2
import numpy as np

from ..models.preprocessors import Views
from ..models.selfsup import ViewPretraining
from .sheet import grid, pixels_of

COLOURS = ((230, 60, 60), (60, 140, 240), (70, 200, 90), (240, 180, 40))


def draw_boxes(pictures: np.ndarray, views: Views) -> np.ndarray:
    """Canvases ``(B, H, W, 3)`` with the boxes of the persons on them."""
    pictures = pictures.copy()
    for index, (_, boxes) in enumerate(views.boxes.items()):
        for picture, (x1, y1, x2, y2) in zip(pictures, boxes.tolist()):
            cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1),
                          COLOURS[index % len(COLOURS)], 1)
    return pictures


def draw_points(pictures: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Pictures ``(B, H, W, 3)`` with their known keypoints ``(B, K, 3)``."""
    pictures = pictures.copy()
    for picture, own in zip(pictures, points):
        for x, y, known in own:
            if known:
                cv2.circle(picture, (round(float(x)), round(float(y))), 1,
                           COLOURS[2], -1)
    return pictures


def draw_views(model: ViewPretraining, views: Views) -> np.ndarray:
    """Every view of a batch, as the model gets it.

    Args:
        model (ViewPretraining): Gives the normalisation.
        views (Views): The batch.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB; boxes on the canvas are those the
        search targets are made of, dots the keypoints that HAP masks by.
    """
    columns = {
        name: pixels_of(model, image)
        for name, image in views.images.items()
    }
    for name, points in views.keypoints.items():
        columns[name] = draw_points(columns[name], points.cpu().numpy())
    if 'canvas' in columns:
        columns['canvas'] = draw_boxes(columns['canvas'], views)
    return grid(columns)
