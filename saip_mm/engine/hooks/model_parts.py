from typing import Optional

from mmengine.model import is_model_wrapper
from torch import nn


def bare_model(runner) -> nn.Module:
    """The model without its distributed wrapper."""
    model = runner.model
    return model.module if is_model_wrapper(model) else model


def matching_head(runner) -> Optional[nn.Module]:
    """Head of cross-scale matching, or None if that objective is off."""
    heads = getattr(bare_model(runner), 'heads', {})
    return heads['csm'] if 'csm' in heads else None
