"""Does the search know persons, or does a look at colours do as well?"""
from typing import NamedTuple, Optional, Union

import torch
from mmengine.config import Config
from torch import Tensor

from ..models.preprocessors import Views
from ..models.selfsup import ViewPretraining
from ..models.view_ops import above_distractors, mean_inside
from ..visualization import head_that
from .inspect import model_and_views
from .report_table import starts, table

COLUMNS = ('told apart', 'IoU, person', 'IoU, other', 'AUC, person',
           'AUC, other')


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


def covered_cells(shares: Tensor) -> Tensor:
    """Cells that count as a person's: half as covered as the fullest, or more.

    Args:
        shares (Tensor): ``(..., L)`` in [0, 1], covered share of each cell.

    Returns:
        Tensor: ``(..., L)`` bool, True in one cell at least.
    """
    return shares >= 0.5 * shares.amax(-1, keepdim=True).clamp(min=1e-6)


def overlap_of_best(response: Tensor, wanted: Tensor, cells: Tensor) -> Tensor:
    """Overlap of the highest answers, as many as are wanted, with a place.

    Args:
        response (Tensor): ``(..., L)`` answers of cells.
        wanted (Tensor): ``(..., L)`` bool, whose number k is taken.
        cells (Tensor): ``(..., L)`` bool, the place.

    Returns:
        Tensor: ``(...)`` intersection over union of the k best and the place.

    Example:
        >>> response = torch.tensor([.9, .8, .1, .2])
        >>> person = torch.tensor([True, False, True, False])
        >>> overlap_of_best(response, person, person)  # of 0, 1 and 0, 2
        tensor(0.3333)
    """
    ranks = response.argsort(-1, descending=True).argsort(-1)
    found = ranks < wanted.sum(-1, keepdim=True)
    both, either = (found & cells).sum(-1), (found | cells).sum(-1)
    return both / either


def area_under_curve(response: Tensor, cells: Tensor) -> Tensor:
    """How often a cell of the place is answered higher than one outside.

    Args:
        response (Tensor): ``(..., L)``.
        cells (Tensor): ``(..., L)`` bool, neither none nor all.

    Returns:
        Tensor: ``(...)`` area under the ROC curve, ties counted by half.

    Example:
        >>> response = torch.tensor([.9, .8, .1, .2])
        >>> area_under_curve(response, response > .85)
        tensor(1.)
    """
    inside, outside = response[..., :, None], response[..., None, :]
    won = (inside > outside).float() + 0.5 * (inside == outside)
    pairs = cells[..., :, None] & ~cells[..., None, :]
    return (won * pairs).sum((-1, -2)) / pairs.sum((-1, -2))


class SearchScores(NamedTuple):
    """N queries of B pictures each, ``(N, B)``.

    Attributes:
        right (Tensor): bool, see :func:`above_distractors`.
        by_colour (Tensor): bool, :func:`nearest_colour`.
        person_iou, other_iou (Tensor): :func:`overlap_of_best` with the
            person asked for, and with the distractors.
        person_auc, other_auc (Tensor): :func:`area_under_curve`, likewise.
    """
    right: Tensor
    by_colour: Tensor
    person_iou: Tensor
    other_iou: Tensor
    person_auc: Tensor
    other_auc: Tensor


@torch.no_grad()
def score_searches(model: ViewPretraining, views: Views) -> SearchScores:
    """Which searches of a batch find the person, and which a distractor.

    Args:
        model (ViewPretraining): With a search head.
        views (Views): The batch, with distractors.

    Returns:
        SearchScores: Of the batch.

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
    targets, distractors = head.targets(views), head.distractors(views)
    asking = torch.stack(
        [views.images[p.request.view].mean((2, 3)) for p in persons])
    by_colour = nearest_colour(asking, views.images['canvas'],
                               head.targets(views, stride=1),
                               head.distractors(views, stride=1))
    person = covered_cells(targets)
    other = covered_cells(distractors).any(0).expand_as(person)
    return SearchScores(
        above_distractors(response, targets, distractors), by_colour,
        overlap_of_best(response, person, person),
        overlap_of_best(response, person, other),
        area_under_curve(response, person), area_under_curve(response, other))


def search_report(config: Union[str, Config],
                  checkpoint: Optional[str] = None,
                  batches: int = 10,
                  batch: Optional[int] = None,
                  seed: int = 0,
                  options: Optional[dict] = None) -> str:
    """Say in a table whether searches find the person or a distractor.

    Args:
        config (str | Config): A pretraining config with search.
        checkpoint (str, optional): Its checkpoint. Defaults to the random
            start alone.
        batches (int): Batches of training images. Defaults to 10.
        batch (int, optional): Images a batch. Defaults to the config's.
        seed (int): Of the choice of images and of all draws.
        options (dict, optional): Changes to the config.

    Returns:
        str: Means over the searches in per cent: told apart by chance, by
        mean colour without a model, and by the random start and the model;
        of these two also IoU and AUC with the person asked for and with the
        distractors. In training mode: BatchNorm's running statistics are of
        persons and canvases together, and right for neither.
    """
    rows = []
    for name, file in starts(checkpoint):
        model, drawn = model_and_views(config, file, batches, batch, seed,
                                       options)
        scores, others = [], 0
        for views in drawn:
            others = len(views.distractors)
            scores.append(
                [part.flatten() for part in score_searches(model, views)])
        found = SearchScores(*(torch.cat(parts) for parts in zip(*scores)))
        right, colour, *places = (100 * part.float().mean() for part in found)
        rows.append((name, right, *places))
    rows = [('chance', 100 / (1 + others), None, None, 50., 50.),
            ('mean colour, no model', colour)] + rows
    head = (f'{len(found.right)} searches, each beside {others} '
            f'distractor{"s" * (others > 1)}, %')
    return table(head, COLUMNS, rows)
