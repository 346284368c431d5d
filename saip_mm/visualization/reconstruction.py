import numpy as np
import torch

from ..models.losses.reconstruction import patchify, unpatchify
from ..models.preprocessors import Views
from ..models.selfsup import ViewPretraining
from .sheet import grid, head_that, pixels_of

PREDICTED = 'predicted, true mean'


@torch.no_grad()
def draw_reconstruction(model: ViewPretraining, views: Views) -> np.ndarray:
    """Context, masked view, prediction and original of a batch.

    The model predicts patches of mean 0 and variance 1; they are shown at the
    mean and variance of the original patch, which they did not predict.
    Visible patches are the input.

    Args:
        model (ViewPretraining): With a head that predicts patches.
        views (Views): The batch.

    Raises:
        ValueError: If none does.
    """
    name, head = head_that(model, 'predict')
    answers = model.answers(views)[name]
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
    return grid({n: pixels_of(model, images) for n, images in shown.items()})
