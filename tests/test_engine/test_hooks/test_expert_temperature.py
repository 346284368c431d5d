import numpy as np
import pytest

from saip_mm.engine import ExpertTemperatureHook
from ..toy import ToyModel, toy_runner


@pytest.mark.parametrize('epochs', [0, 1, 2, 30])
def test_equals_dino_schedule(epochs):
    total = 40
    dino = np.concatenate(
        (np.linspace(0.04, 0.07, epochs), np.ones(total - epochs) * 0.07))
    hook = ExpertTemperatureHook(0.04, 0.07, epochs)
    assert [hook.temperature(e) for e in range(total)] == pytest.approx(dino)


def test_set_once_an_epoch_and_logged(tmp_path):
    hook = dict(type='ExpertTemperatureHook', epochs=3)
    runner = toy_runner(tmp_path, [hook])  # 2 epochs: ends below 0.07
    runner.train()
    assert runner.model.heads['csm'].expert_temperature == pytest.approx(0.055)
    logged = runner.message_hub.get_scalar('train/expert_temperature')
    assert logged.data[0] == pytest.approx([0.04, 0.055])


def test_channels_keep_theirs(tmp_path):
    """A frozen expert's have another deviation than cosines."""
    runner = toy_runner(tmp_path, ['ExpertTemperatureHook'], epochs=1)
    hook, = (h for h in runner.hooks if isinstance(h, ExpertTemperatureHook))
    head = runner.model.heads['csm']
    head.expert_temperature = 0.6
    head.prototypes = None
    hook.before_train_epoch(runner)
    assert head.expert_temperature == 0.6


def test_without_matching(tmp_path):
    runner = toy_runner(
        tmp_path, ['ExpertTemperatureHook'],
        model=ToyModel(matching=False),
        epochs=1)
    runner.train()
    assert runner.iter == 5
    assert 'train/expert_temperature' not in runner.message_hub.log_scalars


def test_matching_without_such_a_temperature(tmp_path):
    runner = toy_runner(tmp_path, ['ExpertTemperatureHook'], epochs=1)
    del runner.model.heads['csm'].expert_temperature
    runner.train()
    assert not hasattr(runner.model.heads['csm'], 'expert_temperature')
    assert 'train/expert_temperature' not in runner.message_hub.log_scalars


def test_zero_temperature_is_refused():
    with pytest.raises(ValueError, match='positive'):
        ExpertTemperatureHook(start=0.)
