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


def draw_views(model: ViewPretraining, views: Views) -> np.ndarray:
    """Every view of a batch, as the model gets it.

    Args:
        model (ViewPretraining): Gives the normalisation.
        views (Views): The batch.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB; boxes on the canvas are those the
        search targets are made of.
    """
    columns = {
        name: pixels_of(model, image)
        for name, image in views.images.items()
    }
    if 'canvas' in columns:
        columns['canvas'] = draw_boxes(columns['canvas'], views)
    return grid(columns)
