import random

import numpy as np
import torch

from saip_mm.datasets.seeded import seeded_draws


def draw():
    return random.random(), np.random.rand(), torch.rand(()).item()


def test_draws_follow_from_the_numbers_alone():
    with seeded_draws(0, 3, 17):
        first = draw(), draw()
    draw()
    with seeded_draws(0, 3, 17):
        assert (draw(), draw()) == first
    others = []
    for entropy in ((0, 3, 18), (0, 4, 17), (1, 3, 17)):
        with seeded_draws(*entropy):
            others.append(draw())
    assert len({*others, first[0]}) == 4


def test_what_comes_after_is_as_if_nothing_had_been_drawn():
    for seeds in (random.seed, np.random.seed, torch.manual_seed):
        seeds(5)
    wanted = draw(), draw()
    for seeds in (random.seed, np.random.seed, torch.manual_seed):
        seeds(5)
    first = draw()
    try:
        with seeded_draws(1):
            draw()
            raise KeyError
    except KeyError:
        pass
    assert (first, draw()) == wanted
