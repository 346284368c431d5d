"""Pictures of what the model gets and gives, as uint8 RGB arrays."""
from typing import Dict, List, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from .models.losses.reconstruction import patchify, unpatchify
from .models.preprocessor import Views
from .models.selfsup import ViewPretraining
from .models.view_ops import cell_targets

GAP = 4  # pixels between pictures
PREDICTED = 'predicted, true mean'
TITLE = 16  # pixels of height for the column titles
COLOURS = ((230, 60, 60), (60, 140, 240), (70, 200, 90), (240, 180, 40))


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


def _pixels_of(model: ViewPretraining, images: Tensor) -> np.ndarray:
    preprocessor = model.data_preprocessor
    return to_pixels(images, preprocessor.mean, preprocessor.std)


def _draw_boxes(pictures: np.ndarray, views: Views) -> np.ndarray:
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
        name: _pixels_of(model, image)
        for name, image in views.images.items()
    }
    if 'canvas' in columns:
        columns['canvas'] = _draw_boxes(columns['canvas'], views)
    return grid(columns)


@torch.no_grad()
def draw_reconstruction(model: ViewPretraining, views: Views) -> np.ndarray:
    """Context, masked view, prediction and original of a batch.

    The model predicts patches of mean 0 and variance 1; they are shown at the
    mean and variance of the original patch, as their title says. Visible
    patches are the input.

    Args:
        model (ViewPretraining): With a head that predicts patches.
        views (Views): The batch.

    Raises:
        ValueError: If none does.
    """
    name = next(
        (n for n, head in model.heads.items() if hasattr(head, 'predict')),
        'csr')
    head, answers = _head(model, name), model.answers(views)[name]
    asked, pred = head.predict(answers)
    image = views.images[asked.view]
    patches = patchify(image, head.stride)
    mean = patches.mean(-1, keepdim=True)
    deviation = (patches.var(-1, keepdim=True) + 1e-6).sqrt()
    hidden = asked.mask[..., None]
    filled = torch.where(hidden, pred * deviation + mean, patches)
    blank = torch.where(hidden, torch.zeros_like(patches), patches)
    cells = tuple(side // head.stride for side in image.shape[-2:])
    shown = {
        a.request.view: views.images[a.request.view]
        for a in answers if a.request is not asked
    }
    shown['masked'] = unpatchify(blank, cells, head.stride)
    shown[PREDICTED] = unpatchify(filled, cells, head.stride)
    shown[asked.view] = image
    return grid({n: _pixels_of(model, images) for n, images in shown.items()})


@torch.no_grad()
def draw_search(model: ViewPretraining, views: Views) -> np.ndarray:
    """For each scale: the person, where it is, and where it was found.

    Args:
        model (ViewPretraining): With the css head.
        views (Views): The batch, with canvas.

    Raises:
        ValueError: If search is switched off in the model.
    """
    head = _head(model, 'css')
    (_, tokens), *persons = model.answers(views)['css']
    canvas = _pixels_of(model, views.images['canvas'])
    size = canvas.shape[1:3]
    columns = {'canvas': _draw_boxes(canvas, views)}
    searched = head.search([p.tokens for p in persons], tokens).sigmoid()
    for person, found in zip(persons, searched):
        name = person.request.view
        target = cell_targets(views.boxes[name], size, head.stride)
        columns[name] = _pixels_of(model, views.images[name])
        columns[name + ' target'] = _overlay(canvas, target, head.stride)
        columns[name + ' found'] = _overlay(canvas, found, head.stride)
    return grid(columns)


def _head(model: ViewPretraining, name: str):
    if name not in model.heads:
        raise ValueError(f"the model has no '{name}' head, only "
                         f'{sorted(model.heads)}: nothing to draw')
    return model.heads[name]


def _overlay(pictures: np.ndarray, cells: Tensor, stride: int) -> np.ndarray:
    """Darken what a map of cells ``(B, h * w)`` leaves out."""
    height, width = pictures.shape[1:3]
    cells = cells.view(-1, 1, height // stride, width // stride)
    share = cells.repeat_interleave(stride, 2).repeat_interleave(stride, 3)
    share = share.permute(0, 2, 3, 1).float().cpu().numpy()
    return (pictures * (0.15 + 0.85 * share)).astype(np.uint8)


DRAWINGS = dict(
    views=draw_views, reconstruction=draw_reconstruction, search=draw_search)


def draw(what: str,
         model: ViewPretraining,
         samples: List[dict],
         seed: int = 0) -> np.ndarray:
    """Draw one of 'views', 'reconstruction', 'search' of some samples.

    Args:
        what (str): The drawing.
        model (ViewPretraining): The model; used in eval mode.
        samples (list[dict]): Items of the pretraining data set.
        seed (int): Of the device-side draws.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB.
    """
    data = torch.utils.data.default_collate(samples)
    torch.manual_seed(seed)
    model.train(False)
    with torch.no_grad():
        views = model.data_preprocessor(data)['views']
        return DRAWINGS[what](model, views)
