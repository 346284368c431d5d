"""Does the search know persons, or does a look at colours do as well?"""
from typing import Optional, Tuple, Union

import torch
from mmengine.config import Config
from torch import Tensor

from ..models.preprocessors import Views
from ..models.selfsup import ViewPretraining
from ..models.view_ops import above_distractors, mean_inside
from ..visualization import head_that
from .inspect import model_and_views


def nearest_colour(asking: Tensor, canvas: Tensor, targets: Tensor,
                   distractors: Tensor) -> Tensor:
    """Search by mean colour alone, without a model.

    Args:
        asking (Tensor): ``(N, B, 3)``, mean colours of the N pictures that
            ask for the person.
        canvas (Tensor): ``(B, 3, H, W)``.
        targets (Tensor): ``(N, B, H * W)``, 1 where the person stands.
        distractors (Tensor): ``(D, B, H * W)``, likewise of the others.

    Returns:
        Tensor: ``(N, B)`` bool, True where the colour asked for is nearer to
        the mean inside the person's place than to that of any distractor.
    """
    pixels = canvas.flatten(2)
    person = mean_inside(pixels, targets[:, :, None])
    others = mean_inside(pixels, distractors[:, :, None])
    near = (asking - person).norm(dim=-1)
    far = (asking[:, None] - others).norm(dim=-1)  # (N, D, B)
    return near < far.amin(1)


@torch.no_grad()
def score_searches(model: ViewPretraining,
                   views: Views) -> Tuple[Tensor, Tensor]:
    """Which searches of a batch tell the person from the distractors.

    Args:
        model (ViewPretraining): With a search head.
        views (Views): The batch, with distractors.

    Returns:
        tuple[Tensor, Tensor]: ``(N, B)`` bool of N queries: the model's, see
        :func:`above_distractors`, and :func:`nearest_colour`.

    Raises:
        ValueError: If there is no search head, or no distractor.
    """
    name, head = head_that(model, 'search')
    if not views.distractors:
        raise ValueError(
            'no person of another image is pasted beside the searched ones: '
            'set canvas.distractors of the data_preprocessor to at least 1, '
            'and batch_size to at least 2')
    (_, canvas), *persons = model.answers(views)[name]
    response = head.search([p.tokens for p in persons], canvas).sigmoid()
    by_model = above_distractors(response, head.targets(views),
                                 head.distractors(views))
    asking = torch.stack(
        [views.images[p.request.view].mean((2, 3)) for p in persons])
    by_colour = nearest_colour(asking, views.images['canvas'],
                               head.targets(views, stride=1),
                               head.distractors(views, stride=1))
    return by_model, by_colour


def search_report(config: Union[str, Config],
                  checkpoint: Optional[str] = None,
                  batches: int = 10,
                  batch: Optional[int] = None,
                  seed: int = 0,
                  options: Optional[dict] = None) -> str:
    """Say in a table how often persons are told from distractors.

    Args:
        config (str | Config): A pretraining config with search.
        checkpoint (str, optional): Its checkpoint. Defaults to the random
            start.
        batches (int): Batches of training images. Defaults to 10.
        batch (int, optional): Images a batch. Defaults to the config's.
        seed (int): Of the choice of images and of all draws.
        options (dict, optional): Changes to the config.

    Returns:
        str: Per cent of the searches, by chance, by mean colour without a
        model, and by the model in eval mode.
    """
    model, drawn = model_and_views(config, checkpoint, batches, batch, seed,
                                   options)
    model.train(False)
    model_right, colour_right = [], []
    for views in drawn:
        by_model, by_colour = score_searches(model, views)
        model_right.append(by_model.flatten())
        colour_right.append(by_colour.flatten())
    right = torch.cat(model_right)
    others = len(views.distractors)
    rows = [('chance', 1 / (1 + others)),
            ('mean colour, no model', torch.cat(colour_right).float().mean()),
            ('model' if checkpoint else 'random start', right.float().mean())]
    head = (f'{len(right)} searches, each beside {others} '
            f'distractor{"s" * (others > 1)}')
    return '\n'.join([head, f'{"":24}{"told apart, %":>14}'] +
                     [f'{name:24}{100 * share:14.1f}' for name, share in rows])
