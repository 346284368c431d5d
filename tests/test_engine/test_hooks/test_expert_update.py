import math

import pytest

from saip_mm.engine import ExpertUpdateHook
from ..toy import ToyModel, toy_runner


def expected(step, total, base=0.996):
    return 1 - (1 - base) * (math.cos(math.pi * step / total) + 1) / 2


@pytest.mark.parametrize('counts', [1, 2, 3, 4, 10, 12])
def test_once_an_optimiser_step_over_all_steps(tmp_path, counts):
    """10 iterations; a rest at the end is a step of its own."""
    runner = toy_runner(tmp_path, ['ExpertUpdateHook'], counts=counts)
    runner.train()
    total = math.ceil(10 / counts)
    assert runner.model.expert.momenta == pytest.approx(
        [expected(k, total) for k in range(total)])
    assert runner.message_hub.get_scalar('train/momentum').data[0].tolist() \
        == runner.model.expert.momenta


def test_frozen_expert_is_left_alone(tmp_path):
    runner = toy_runner(
        tmp_path, ['ExpertUpdateHook'], model=ToyModel(False), epochs=1)
    runner.train()
    assert runner.model.expert.momenta == []
    assert 'train/momentum' not in runner.message_hub.log_scalars


def test_base_momentum_of_the_other_convention_is_possible_but_checked():
    with pytest.raises(ValueError, match='weight of the old value'):
        ExpertUpdateHook(base_momentum=1.2)
