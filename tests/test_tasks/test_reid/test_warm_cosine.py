import math

import pytest
import torch
from mmengine.optim import OptimWrapper

from mmpretrain.registry import PARAM_SCHEDULERS
from saip_mm.tasks.reid import warm_cosine


def rates(warm_up=20, length=120, lr=4e-4, epochs=None, **settings):
    """Rates of each epoch: of a plain group, and of biases at twice that."""
    weight, bias = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    optimizer = torch.optim.SGD(
        [dict(params=[weight]),
         dict(params=[bias], lr=2 * lr)], lr=lr)
    wrapper = OptimWrapper(optimizer)
    scheduler = PARAM_SCHEDULERS.build(
        dict(type='WarmCosineLR', warm_up=warm_up, end=length, **settings),
        default_args=dict(optimizer=wrapper))
    found = []
    for _ in range(epochs or length):
        found.append([group['lr'] for group in optimizer.param_groups])
        wrapper.step()
        scheduler.step()
    return found


# t: rate of the config's 4e-4, and of a group of 8e-4 with its floor and start
TABLE = {
    0: (4.0e-6, 4.0e-6),
    1: (2.38e-5, 4.38e-5),
    10: (2.02e-4, 4.02e-4),
    19: (3.802e-4, 7.602e-4),
    20: (3.7325867e-4, 7.4646375e-4),
    60: (2.004e-4, 4.004e-4),
    119: (8.68398e-7, 9.36933e-7)
}


def test_table():
    found = rates()
    for step, expected in TABLE.items():
        assert found[step] == pytest.approx(expected, rel=1e-6), step


def test_table_of_imagenet_weights():
    found = [one for one, _ in rates(5, lr=8e-3)]
    for step, expected in {
            1: 1.664e-3,
            4: 6.416e-3,
            5: 7.9658479e-3,
            60: 4.008e-3,
            119: 1.7367959e-5
    }.items():
        assert found[step] == pytest.approx(expected, rel=1e-7), step
    assert warm_cosine(120, 8e-3, 8e-3, 120, 5, .01, .002) == 1.6e-5


@pytest.mark.parametrize('length, warm_up', [(20, 2), (9, 0), (1, 0)])
def test_no_room_behind_the_warm_up(length, warm_up, log):
    found = [one for one, _ in rates(20, length)]
    assert f'it takes {warm_up}' in log.text
    for step, rate in enumerate(found):
        wanted = 4e-4 * (.002 + .499 * (1 + math.cos(math.pi * step / length)))
        if step < warm_up:
            wanted = 4e-4 * (.01 + .99 * step / warm_up)
        assert rate == pytest.approx(wanted)


def test_state_is_plain_and_goes_on():
    optimizers = [
        torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.)
        for _ in range(2)
    ]
    one, two = [
        PARAM_SCHEDULERS.build(
            dict(type='WarmCosineLR', warm_up=3, end=10),
            default_args=dict(optimizer=optimizer)) for optimizer in optimizers
    ]
    for _ in range(4):
        optimizers[0].step()
        one.step()
    two.load_state_dict(one.state_dict())
    optimizers[1].load_state_dict(optimizers[0].state_dict())
    for scheduler, optimizer in zip((one, two), optimizers):
        optimizer.step()
        scheduler.step()
    assert optimizers[0].param_groups[0]['lr'] == \
        optimizers[1].param_groups[0]['lr']


def test_a_resumed_run_keeps_the_rate_that_start_and_floor_are_shares_of():
    """Also where the config has another rate now."""
    one, other = (
        torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
        for lr in (4e-4, 1.))
    saved, resumed = (
        PARAM_SCHEDULERS.build(
            dict(type='WarmCosineLR', end=120),
            default_args=dict(optimizer=optimizer))
        for optimizer in (one, other))
    resumed.load_state_dict(saved.state_dict())
    resumed.step()
    assert other.param_groups[0]['lr'] == pytest.approx(2.38e-5)
