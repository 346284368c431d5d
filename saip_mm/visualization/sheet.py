"""Pictures laid out with titles."""
from typing import Dict, Sequence, Tuple

import cv2
import numpy as np
from torch import Tensor, nn

from ..models.selfsup import ViewPretraining

GAP = 4  # pixels between pictures
TITLE = 16  # pixels of height for the column titles


def to_pixels(images: Tensor, mean: Sequence[float],
              std: Sequence[float]) -> np.ndarray:
    """Undo normalisation.

    Args:
        images (Tensor): ``(B, 3, H, W)`` float, normalised.
        mean (Sequence[float]): Channel means in [0, 1].
        std (Sequence[float]): Channel deviations in [0, 1].

    Returns:
        np.ndarray: ``(B, H, W, 3)`` uint8 RGB.
    """
    mean = images.new_tensor(mean).view(3, 1, 1)
    std = images.new_tensor(std).view(3, 1, 1)
    pixels = ((images.float() * std + mean) * 255).round().clamp(0, 255)
    return pixels.byte().permute(0, 2, 3, 1).cpu().numpy()


def grid(columns: Dict[str, np.ndarray]) -> np.ndarray:
    """Lay pictures out with one row an image and a title over each column.

    Args:
        columns (dict[str, np.ndarray]): ``(B, h, w, 3)`` uint8 by title;
            columns may differ in size.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB on white.
    """
    rows = len(next(iter(columns.values())))
    height = max(images.shape[1] for images in columns.values())
    widths = [
        max(images.shape[2], 8 * len(t)) for t, images in columns.items()
    ]
    sheet = np.full(
        (TITLE + rows * (height + GAP), sum(widths) + GAP * len(widths), 3),
        255, np.uint8)
    left = 0
    for (title, images), width in zip(columns.items(), widths):
        cv2.putText(sheet, title, (left, TITLE - 5), cv2.FONT_HERSHEY_SIMPLEX,
                    0.4, (0, 0, 0), 1, cv2.LINE_AA)
        for row, image in enumerate(images):
            top = TITLE + row * (height + GAP)
            sheet[top:top + image.shape[0], left:left + image.shape[1]] = image
        left += width + GAP
    return sheet


def pixels_of(model: ViewPretraining, images: Tensor) -> np.ndarray:
    """Views ``(B, 3, h, w)`` as the model gets them, made visible."""
    preprocessor = model.data_preprocessor
    return to_pixels(images, preprocessor.mean, preprocessor.std)


def head_that(model: ViewPretraining, ability: str) -> Tuple[str, nn.Module]:
    """The first head with a method, and its name.

    Args:
        model (ViewPretraining): The model.
        ability (str): 'predict' (patches), 'reconstruct' (by an anchor) or
            'search'.

    Raises:
        ValueError: If the model has none.
    """
    for name, head in model.heads.items():
        if hasattr(head, ability):
            return name, head
    verb = dict(
        predict='predicts patches',
        reconstruct='reconstructs by an anchor',
        search='searches')[ability]
    raise ValueError(f'no head of {sorted(model.heads)} {verb}')
