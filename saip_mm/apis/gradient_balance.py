"""How hard each objective pulls at what they train together."""
from typing import Dict, NamedTuple, Optional, Union

import torch
from mmengine.config import Config
from torch import nn

from ..models.preprocessors import Views
from .inspect import model_and_views


class Balance(NamedTuple):
    """Gradients of each loss on the parameters that all losses reach.

    Attributes:
        norms (dict[str, float]): Euclidean norm by the loss's name, weights
            of the losses included.
        shared (int): Number of these parameters (numbers, not tensors).
    """
    norms: Dict[str, float]
    shared: int


def gradient_balance(model: nn.Module, views: Views) -> Balance:
    """Compare the objectives' gradients on what they train together.

    A loss with a small gradient there changes the encoder little, however
    large its value is. What only some reach (decoders, layers behind the
    last one that all read) is left out.

    Args:
        model (nn.Module): ``model(views, mode='loss')`` gives the losses by
            name, those with 'loss' in it. In the mode that is of interest;
            its buffers may move as in a training step.
        views (Views): The batch.

    Returns:
        Balance: In the order of the losses.

    Raises:
        ValueError: If no parameter gets a gradient of every loss.
    """
    losses = {
        name: value
        for name, value in model(views, mode='loss').items() if 'loss' in name
    }
    parameters = [p for p in model.parameters() if p.requires_grad]
    gradients = [
        torch.autograd.grad(
            loss, parameters, retain_graph=True, allow_unused=True)
        for loss in losses.values()
    ]
    shared = [
        parts for parts in zip(*gradients)
        if all(part is not None for part in parts)
    ]
    if not shared:
        raise ValueError(f'no parameter gets a gradient of each of '
                         f'{sorted(losses)}: there is nothing to balance')
    norms = {
        name: float(torch.stack([part.float().norm() for part in own]).norm())
        for name, own in zip(losses, zip(*shared))
    }
    return Balance(norms, sum(parts[0].numel() for parts in shared))


def balance_report(config: Union[str, Config],
                   checkpoint: Optional[str] = None,
                   batches: int = 10,
                   batch: Optional[int] = None,
                   seed: int = 0,
                   options: Optional[dict] = None) -> str:
    """Say in a table how hard each objective of a config pulls.

    Args:
        config (str | Config): A pretraining config.
        checkpoint (str, optional): Its checkpoint. Defaults to the random
            start.
        batches (int): Batches of training images. Defaults to 10.
        batch (int, optional): Images a batch. Defaults to the config's.
        seed (int): Of the choice of images and of all draws.
        options (dict, optional): Changes to the config.

    Returns:
        str: By loss the mean norm over the batches, in training mode, and
        its ratio to the first one's.
    """
    model, drawn = model_and_views(config, checkpoint, batches, batch, seed,
                                   options)
    found = [gradient_balance(model, views) for views in drawn]
    mean = {
        name: sum(balance.norms[name] for balance in found) / len(found)
        for name in found[0].norms
    }
    first = next(iter(mean.values()))
    lines = [
        f'gradients on the {found[0].shared / 1e6:.2f} M parameters that all '
        f'objectives reach, mean of {len(found)} batches',
        f'{"":16}{"norm":>12}{"relative":>12}'
    ]
    return '\n'.join(lines + [
        f'{name:16}{norm:12.4g}{norm / first:12.4g}'
        for name, norm in mean.items()
    ])
