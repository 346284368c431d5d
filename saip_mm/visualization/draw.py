import copy
from typing import List

import numpy as np
import torch

from ..models.selfsup import ViewPretraining
from .reconstruction import draw_reconstruction
from .search import draw_search
from .views import draw_views

DRAWINGS = dict(
    views=draw_views, reconstruction=draw_reconstruction, search=draw_search)


def draw(what: str,
         model: ViewPretraining,
         samples: List[dict],
         seed: int = 0) -> np.ndarray:
    """Draw one of 'views', 'reconstruction', 'search' of some samples.

    Args:
        what (str): The drawing.
        model (ViewPretraining): Left as it is; used in training mode, in which
            its objectives learn: BatchNorm's running statistics are of all
            kinds of views together, and right for none.
        samples (list[dict]): Items of the pretraining data set.
        seed (int): Of the device-side draws.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB.
    """
    data = torch.utils.data.default_collate(samples)
    torch.manual_seed(seed)
    model = copy.deepcopy(model).train()  # its statistics would move
    with torch.no_grad():
        views = model.data_preprocessor(data)['views']
        return DRAWINGS[what](model, views)
