import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS
from ...models.shared_draws import seed_shared_draws


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Reseed Python, NumPy and torch from (seed, rank, iteration).

    Every iteration's draws follow from its number, so a resumed run needs no
    generator states and any iteration can be looked at on its own. What all
    processes must agree on follows from (seed, iteration). Workers are not
    concerned: each sample has a generator of its own.
    """

    priority = 'LOWEST'  # after hooks that draw themselves

    def before_train_iter(self, runner, batch_idx: int, data_batch=None):
        """Seed the generators of all devices."""
        entropy = (runner.seed, get_rank(), runner.iter)
        state = np.random.SeedSequence(entropy).generate_state(3)
        random.seed(int(state[0]))
        np.random.seed(state[1])
        torch.manual_seed(int(state[2]))
        seed_shared_draws(runner.seed, runner.iter)
