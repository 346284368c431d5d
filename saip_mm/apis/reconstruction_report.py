"""Does reconstruction read the anchor, or paint any person?"""
from typing import NamedTuple, Optional, Union

import torch
from mmengine.config import Config
from torch import Tensor

from ..models.losses import masked_patch_loss, patchify
from ..models.preprocessors import Views
from ..models.selfsup import ViewPretraining
from ..visualization import head_that
from .inspect import model_and_views
from .report_table import starts, table

COLUMNS = ('own', "another's", 'own better')


class AnchorErrors(NamedTuple):
    """Errors on the hidden patches of B pictures, ``(B, )``.

    Normalised patches have a variance of 1, so 1 is the error of the mean
    colour of each patch.

    Attributes:
        own (Tensor): The picture's anchor was read.
        other (Tensor): That of the next picture of the batch.
    """
    own: Tensor
    other: Tensor


@torch.no_grad()
def anchor_errors(model: ViewPretraining, views: Views) -> AnchorErrors:
    """Repaint hidden patches by the right anchor, and by another person's.

    Args:
        model (ViewPretraining): With a head of cross-scale reconstruction.
        views (Views): A batch of two pictures or more.

    Returns:
        AnchorErrors: Of the batch.

    Raises:
        ValueError: If there is no such head, or one picture.
    """
    name, head = head_that(model, 'reconstruct')
    if len(views.image('anchor')) < 2:
        raise ValueError("another person's anchor is read as well: batch_size "
                         'must be 2 or more')
    (asked, visible), (_, anchor) = model.answers(views)[name]
    target = patchify(views.images[asked.view], head.stride)
    others = anchor._replace(inner=anchor.inner.roll(1, 0))
    errors = []
    for read in (anchor, others):
        painted = head.reconstruct(visible, asked.mask, read)
        errors.append(
            torch.stack([
                masked_patch_loss(*one)
                for one in zip(painted, target, asked.mask)
            ]))
    return AnchorErrors(*errors)


def reconstruction_report(config: Union[str, Config],
                          checkpoint: Optional[str] = None,
                          batches: int = 10,
                          batch: Optional[int] = None,
                          seed: int = 0,
                          options: Optional[dict] = None) -> str:
    """Say in a table what reconstruction has of the right anchor.

    Args:
        config (str | Config): A pretraining config with cross-scale
            reconstruction.
        checkpoint (str, optional): Its checkpoint. Defaults to the random
            start alone.
        batches (int): Batches of training images. Defaults to 10.
        batch (int, optional): Images a batch, 2 or more. Defaults to the
            config's.
        seed (int): Of the choice of images and of all draws.
        options (dict, optional): Changes to the config.

    Returns:
        str: Mean errors in per cent of the mean colour's, and the share of
        pictures whose own anchor serves better; in training mode, as of
        ``search_report``.
    """
    rows = [('mean colour of a patch', 100., 100.), ('chance', None, None, 50)]
    for name, file in starts(checkpoint):
        model, drawn = model_and_views(config, file, batches, batch, seed,
                                       options)
        found = [anchor_errors(model, views) for views in drawn]
        own, other = (torch.cat(parts) for parts in zip(*found))
        rows.append((name, 100 * own.mean(), 100 * other.mean(),
                     100 * (own < other).float().mean()))
    head = (f'{len(own)} pictures, squared error of hidden patches by the '
            'anchor that is read, %')
    return table(head, COLUMNS, rows)
