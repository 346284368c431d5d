"""Draws that all processes of a training must agree on.

Sizes of views decide how often BatchNorm runs. Where it is synchronised,
processes that drew different ones would wait for each other for ever.
"""
import numpy as np
import torch
from mmengine.dist import get_world_size

_GENERATOR = torch.Generator()


def seed_shared_draws(*entropy: int) -> None:
    """Start the draws anew; the same numbers on every process.

    Args:
        *entropy (int): Such as the training's seed and the iteration, not
            the rank.
    """
    state = np.random.SeedSequence(entropy).generate_state(1)
    _GENERATOR.manual_seed(int(state[0]))


def shared_index(count: int) -> int:
    """Draw one of ``count`` things, the same on every process.

    A single process draws it from torch's global generator.

    Args:
        count (int): At least 1.

    Returns:
        int: From 0 to ``count - 1``.
    """
    generator = _GENERATOR if get_world_size() > 1 else None
    return int(torch.randint(count, (), generator=generator))
