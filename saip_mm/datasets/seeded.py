"""Random draws of a sample that follow from its number alone."""
import random
from contextlib import contextmanager
from typing import Iterator

import numpy as np
import torch


@contextmanager
def seeded_draws(*entropy: int) -> Iterator[None]:
    """Python, NumPy and torch draw the same each time; afterwards go on.

    For transforms that draw from the global generators: what they draw then
    depends neither on the worker, nor on what was drawn before.

    Args:
        *entropy (int): Not negative, such as seed, epoch and index.

    Example:
        >>> with seeded_draws(0, 3, 17):
        ...     first = np.random.rand()
        >>> with seeded_draws(0, 3, 17):
        ...     first == np.random.rand()
        True
    """
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    state = np.random.SeedSequence(entropy).generate_state(3)
    try:
        random.seed(int(state[0]))
        np.random.seed(state[1])
        # not torch.manual_seed, which would also start the GPUs' anew
        torch.default_generator.manual_seed(int(state[2]))
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
