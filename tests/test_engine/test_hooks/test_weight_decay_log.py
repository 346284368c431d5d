import math
from types import SimpleNamespace

import pytest
from mmengine.logging import MessageHub

from saip_mm.engine import WeightDecayLogHook
from ..toy import toy_runner


def test_weight_decay_schedule_ends_at_ten_times(tmp_path):
    runner = toy_runner(tmp_path, ['WeightDecayLogHook'])
    runner.train()
    decays = runner.message_hub.get_scalar('train/wd').data[0]
    expected = [
        0.4 + (0.04 - 0.4) * (1 + math.cos(math.pi * k / 10)) / 2
        for k in range(10)
    ]
    assert decays == pytest.approx(expected)
    assert runner.optim_wrapper.optimizer.param_groups[1]['weight_decay'] == 0
    assert 'train/base_lr' not in runner.message_hub.log_scalars


@pytest.mark.parametrize('groups, largest', [
    ([dict(weight_decay=0.), dict(weight_decay=0.05)], 0.05),
    ([dict(), dict(weight_decay=0.3),
      dict(weight_decay=0.1)], 0.3),
    ([dict(lr=1.)], 0.),
])
def test_the_largest_of_the_groups_is_logged(groups, largest):
    hub = MessageHub(f'largest_{largest}')
    optimizer = SimpleNamespace(param_groups=groups)
    runner = SimpleNamespace(
        message_hub=hub, optim_wrapper=SimpleNamespace(optimizer=optimizer))
    WeightDecayLogHook().before_train_iter(runner, 0)
    assert hub.get_scalar('train/wd').current() == largest
