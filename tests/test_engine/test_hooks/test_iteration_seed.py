import random

import numpy as np
import torch

from saip_mm.engine import IterationSeedHook
from saip_mm.models.shared_draws import shared_index


class Runner:
    seed, iter = 7, 0


def draws(iteration, seed=7):
    runner = Runner()
    runner.iter, runner.seed = iteration, seed
    IterationSeedHook().before_train_iter(runner, 0)
    return random.random(), np.random.rand(), torch.rand(()).item()


def test_same_iteration_same_draws():
    assert draws(3) == draws(3)


def test_iterations_and_seeds_differ():
    numbers = [draws(0), draws(1), draws(0, seed=8), draws(1, seed=8)]
    assert len({x for n in numbers for x in n}) == 12


def test_ranks_differ(monkeypatch):
    first = draws(3)
    monkeypatch.setattr('saip_mm.engine.hooks.iteration_seed.get_rank',
                        lambda: 1)
    assert not set(first) & set(draws(3))


def test_shared_draws_are_those_of_the_iteration_on_every_rank(monkeypatch):
    monkeypatch.setattr('saip_mm.models.shared_draws.get_world_size',
                        lambda: 2)

    def shared(iteration):
        draws(iteration)
        return [shared_index(1000) for _ in range(4)]

    first = shared(3)
    assert shared(4) != first
    monkeypatch.setattr('saip_mm.engine.hooks.iteration_seed.get_rank',
                        lambda: 1)
    assert shared(3) == first
