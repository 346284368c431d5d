from typing import Iterator, Optional

from mmengine.model import is_model_wrapper
from torch import nn


def bare_model(runner) -> nn.Module:
    """The model without its distributed wrapper."""
    model = runner.model
    return model.module if is_model_wrapper(model) else model


def heads_with(runner, attribute: str) -> Iterator[nn.Module]:
    """Heads that have something, such as an expert temperature.

    Args:
        runner (Runner): The runner.
        attribute (str): Name of what they have, and not as None.
    """
    for head in getattr(bare_model(runner), 'heads', {}).values():
        if getattr(head, attribute, None) is not None:
            yield head


def expert_of(runner) -> Optional[nn.Module]:
    """The expert, or None where no objective asks for one."""
    return getattr(bare_model(runner), 'expert', None)
