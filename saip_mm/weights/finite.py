"""Weights that are not finite: named, and refused wherever files pass."""
from typing import Iterator, Tuple, Union

import torch
from torch import Tensor

# histories and notes: a loss of NaN there is a record, no weight
NOTES = ('meta', 'message_hub', 'param_schedulers')


class NonFiniteWeightsError(ValueError):
    """A tensor of a checkpoint holds NaN or infinity."""


def tensors_of(content: Union[dict, list, tuple],
               prefix: str = '') -> Iterator[Tuple[str, Tensor]]:
    """Tensors anywhere in nested dicts and lists, by dotted name."""
    items = content.items() if isinstance(content,
                                          dict) else enumerate(content)
    for key, value in items:
        if isinstance(value, Tensor):
            yield f'{prefix}{key}', value
        elif isinstance(value, (dict, list, tuple)):
            yield from tensors_of(value, f'{prefix}{key}.')


def is_finite(tensor: Tensor) -> bool:
    """Whether no element is NaN or infinite; True for integers."""
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    if tensor.layout is not torch.strided:
        tensor = tensor.coalesce().values() if tensor.is_sparse else \
            tensor.values()
    if tensor.element_size() == 1:  # float8 has no isfinite
        tensor = tensor.float()
    return bool(torch.isfinite(tensor).all())


def check_finite(checkpoint: dict, name: str) -> None:
    """Refuse a checkpoint with a weight or moment that is not finite.

    Args:
        checkpoint (dict): As saved; ``meta`` and histories are not looked at.
        name (str): What to call it, for the error.

    Raises:
        NonFiniteWeightsError: Names the first such tensor and their number.

    Example:
        >>> weights = dict(a=torch.ones(2), b=torch.tensor([1., torch.nan]))
        >>> check_finite(dict(state_dict=weights), 'checkpoint x.pth')
        Traceback (most recent call last):
        saip_mm.weights.finite.NonFiniteWeightsError: checkpoint x.pth: \
state_dict.b holds values that are not finite: ...
    """
    watched = {k: v for k, v in checkpoint.items() if k not in NOTES}
    bad = [key for key, value in tensors_of(watched) if not is_finite(value)]
    if bad:
        more = f' (and {len(bad) - 1} more tensors)' if len(bad) > 1 else ''
        raise NonFiniteWeightsError(
            f'{name}: {bad[0]} holds values that are not finite{more}: the '
            'run had diverged, take an earlier checkpoint')
