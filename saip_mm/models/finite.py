import math
from typing import Dict, List, Union

import torch
from mmengine.logging import MessageHub
from torch import Tensor


class NonFiniteError(FloatingPointError):
    """A loss or gradient is NaN or infinite; training must not go on."""


def training_state() -> str:
    """Where training is, for an error message, read from the message hub.

    Returns:
        str: Iteration, epoch, learning rate, gradient norm of the step
        before, last checkpoint; what is not known is left out.
    """
    hub = MessageHub.get_current_instance()
    info, scalars = hub.runtime_info, hub.log_scalars
    parts = []
    if 'iter' in info:
        parts.append(f'iteration {info["iter"] + 1} of '
                     f'{info.get("max_iters", "?")}')
    if 'epoch' in info:
        parts.append(f'epoch {info["epoch"] + 1}')
    for key, name in (('train/lr', 'learning rate'),
                      ('train/grad_norm', 'gradient norm of the last step')):
        if key in scalars:
            parts.append(f'{name} {scalars[key].current():.4g}')
    parts.append(f'last checkpoint {info.get("last_ckpt") or "none yet"}')
    return ', '.join(parts)


# a resume alone keeps the rate of the checkpoint's schedule
REMEDY = ('The step was not taken and nothing was saved over. Go on from the '
          'last checkpoint at a lower rate, half of the config\'s say, with '
          '--resume --resume-schedule new --cfg-options '
          'optim_wrapper.optimizer.lr=HALF, or in single precision: --resume '
          'without --amp, in pretraining --resume --cfg-options '
          'optim_wrapper.type=TensorClipOptimWrapper.')


def check_finite_losses(
        losses: Dict[str, Union[Tensor, List[Tensor]]]) -> None:
    """Stop before the backward pass if a loss term is NaN or infinite.

    Call it in ``parse_losses``. All terms are read with one transfer from
    the device. A loss scaler cannot repair a non-finite loss (it answers for
    gradients that overflow), so mixed precision makes no exception.

    Args:
        losses (dict[str, Tensor | list[Tensor]]): The model's output; keys
            that contain 'loss' are terms, others are ignored.

    Raises:
        NonFiniteError: Naming the term, iteration, learning rate, gradient
            norm of the step before and the last checkpoint.

    Example:
        >>> check_finite_losses(dict(loss_csm=torch.tensor(1.)))
        >>> check_finite_losses(dict(loss_csm=torch.tensor(float('nan'))))
        Traceback (most recent call last):
        saip_mm.models.finite.NonFiniteError: loss_csm is nan ...
    """
    terms = {
        name:
        sum(v.detach().float().mean()
            for v in (value if isinstance(value, list) else [value]))
        for name, value in losses.items() if 'loss' in name
    }
    if not terms:
        return
    values = dict(zip(terms, torch.stack(list(terms.values())).tolist()))
    bad = [name for name, v in values.items() if not math.isfinite(v)]
    if bad:
        good = ', '.join(f'{name} {v:.4g}' for name, v in values.items()
                         if name not in bad)
        raise NonFiniteError(
            ', '.join(f'{name} is {values[name]}' for name in bad) +
            f' ({training_state()}; other terms: {good or "none"}). {REMEDY}')
