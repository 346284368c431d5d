"""The recipe's schedules equal DINO's, restated with NumPy."""
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from .toy import toy_runner

BASE = Path(__file__).parents[2] / 'configs' / '_base_'
EPOCHS, LENGTH = 14, 5  # 10 of them warm-up


def dino_scheduler(base, final, warmup=0):
    """utils.cosine_scheduler of DINO."""
    total = EPOCHS * LENGTH
    steps = np.arange(total - warmup)
    cosine = final + 0.5 * (base -
                            final) * (1 + np.cos(np.pi * steps / len(steps)))
    return np.concatenate((np.linspace(0, base, warmup), cosine))


@pytest.fixture(scope='module')
def logged(tmp_path_factory):
    cfg = Config.fromfile(BASE / 'schedules' / 'adamw_coslr_300e.py')
    cfg.train_cfg.max_epochs = EPOCHS
    runner = toy_runner(
        tmp_path_factory.mktemp('schedule'),
        train_cfg=cfg.train_cfg,
        optim_wrapper=cfg.optim_wrapper,
        param_scheduler=cfg.param_scheduler,
        custom_hooks=cfg.custom_hooks + [dict(type='WeightDecayLogHook')])
    runner.train()
    scalars = runner.message_hub.log_scalars
    return {
        key: scalars[f'train/{key}'].data[0]
        for key in ('lr', 'wd', 'momentum', 'expert_temperature')
    }


def test_learning_rate(logged):
    # mmengine's warm-up begins at lr * 1e-6, not at 0, and reaches the base
    # one iteration later than DINO's
    expected = dino_scheduler(2e-3, 1e-6, 10 * LENGTH)
    np.testing.assert_allclose(
        logged['lr'][10 * LENGTH:], expected[10 * LENGTH:], rtol=1e-6)
    assert logged['lr'][0] == pytest.approx(2e-9)
    assert np.all(np.diff(logged['lr'][:10 * LENGTH]) > 0)
    assert np.abs(logged['lr'] - expected).max() < 2e-3 / (10 * LENGTH)


def test_weight_decay(logged):
    np.testing.assert_allclose(
        logged['wd'], dino_scheduler(0.04, 0.4), rtol=1e-9)


def test_momentum(logged):
    np.testing.assert_allclose(
        logged['momentum'], dino_scheduler(0.996, 1), rtol=1e-9)


def test_temperature(logged):
    expected = np.linspace(0.04, 0.07, 30)[:EPOCHS]
    np.testing.assert_allclose(logged['expert_temperature'], expected)


def test_runtime_config_builds(tmp_path):
    cfg = Config.fromfile(
        BASE / 'default_runtime.py', import_custom_modules=False)
    runner = toy_runner(
        tmp_path,
        epochs=1,
        default_hooks=cfg.default_hooks,
        env_cfg=cfg.env_cfg,
        visualizer=dict(cfg.visualizer, name=str(tmp_path)))
    runner.train()
    assert (tmp_path / 'epoch_1.pth').is_file()
