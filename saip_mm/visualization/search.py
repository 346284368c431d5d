import numpy as np
import torch
from torch import Tensor

from ..models.preprocessors import Views
from ..models.selfsup import ViewPretraining
from .sheet import grid, head_that, pixels_of
from .views import draw_boxes


@torch.no_grad()
def draw_search(model: ViewPretraining, views: Views) -> np.ndarray:
    """For each query: the person, where it is, and where it was found.

    Args:
        model (ViewPretraining): With a head that searches.
        views (Views): The batch, with canvas.

    Raises:
        ValueError: If none does.
    """
    asking, head = head_that(model, 'search')
    (_, tokens), *persons = model.answers(views)[asking]
    canvas = pixels_of(model, views.images['canvas'])
    columns = {'canvas': draw_boxes(canvas, views)}
    searched = head.search([p.tokens for p in persons], tokens).sigmoid()
    for person, target, found in zip(persons, head.targets(views), searched):
        name = person.request.view
        columns[name] = pixels_of(model, views.images[name])
        columns[name + ' target'] = _overlay(canvas, target, head.stride)
        columns[name + ' found'] = _overlay(canvas, found, head.stride)
    return grid(columns)


def _overlay(pictures: np.ndarray, cells: Tensor, stride: int) -> np.ndarray:
    """Darken what a map of cells ``(B, h * w)`` leaves out."""
    height, width = pictures.shape[1:3]
    cells = cells.view(-1, 1, height // stride, width // stride)
    share = cells.repeat_interleave(stride, 2).repeat_interleave(stride, 3)
    share = share.permute(0, 2, 3, 1).float().cpu().numpy()
    return (pictures * (0.15 + 0.85 * share)).astype(np.uint8)
