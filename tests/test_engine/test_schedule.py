import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from saip_mm.engine.launch import load_config
from saip_mm.engine.schedule import scale_schedule
from .toy import toy_runner

TRAIN = Path(__file__).parents[2] / 'tools/train.py'


def epochs():
    """Step schedule of pose, 210 epochs."""
    return Config(
        dict(
            train_cfg=dict(max_epochs=210, val_interval=10),
            param_scheduler=[
                dict(type='LinearLR', begin=0, end=500, by_epoch=False),
                dict(
                    type='mmengine.MultiStepLR',
                    begin=0,
                    end=210,
                    milestones=[170, 200],
                    by_epoch=True)
            ]))


def iterations():
    """Cosine after a warm-up, 40 000 iterations, the end left out."""
    return Config(
        dict(
            train_cfg=dict(max_iters=40000),
            param_scheduler=[
                dict(type='LinearLR', begin=0, end=1500, by_epoch=False),
                dict(type='CosineAnnealingLR', begin=1500, by_epoch=False)
            ]))


@pytest.mark.parametrize('fraction, length, milestones', [
    (0.25, 53, [43, 50]),
    (0.5, 105, [85, 100]),
    (0.75, 158, [128, 150]),
    (1, 210, [170, 200]),
])
def test_epochs(fraction, length, milestones):
    cfg = epochs()
    scale_schedule(cfg, fraction)
    assert cfg.train_cfg == dict(max_epochs=length, val_interval=10)
    assert cfg.param_scheduler[0] == epochs().param_scheduler[0]
    step = cfg.param_scheduler[1]
    assert (step.begin, step.end, step.milestones) == (0, length, milestones)


def test_iterations():
    cfg = iterations()
    scale_schedule(cfg, 0.25)
    assert cfg.train_cfg.max_iters == 10000
    assert cfg.param_scheduler == iterations().param_scheduler


def test_phases_scale_and_warm_up_in_the_same_unit_stays():
    cfg = Config(
        dict(
            train_cfg=dict(max_epochs=100),
            param_scheduler=[
                dict(type='LinearLR', begin=0, end=5),
                dict(type='ConstantLR', begin=5, end=40),
                dict(type='CosineAnnealingLR', begin=40, end=100, T_max=60)
            ]))
    scale_schedule(cfg, 0.5)
    assert [(s.get('begin'), s.end) for s in cfg.param_scheduler] == [(0, 5),
                                                                      (5, 20),
                                                                      (20, 50)]
    assert cfg.param_scheduler[2].T_max == 30


def test_a_linear_decay_over_the_whole_training_is_no_warm_up():
    cfg = Config(
        dict(
            train_cfg=dict(max_iters=100),
            param_scheduler=dict(type='LinearLR', end=100, by_epoch=False)))
    scale_schedule(cfg, 0.5)
    assert cfg.param_scheduler.end == 50


@pytest.mark.parametrize('fraction', [0, -0.5, 25, float('nan')])
def test_other_fractions_are_refused(fraction):
    with pytest.raises(ValueError, match=r'in \(0, 1\], got .*0.25'):
        scale_schedule(epochs(), fraction)


def test_a_config_without_length_is_refused():
    with pytest.raises(ValueError, match='max_epochs or train_cfg.max_iters'):
        scale_schedule(Config(dict(train_cfg=dict())), 0.5)


def test_no_room_beside_the_warm_up_is_refused():
    error = 'leaves 1200 iters, .* LinearLR from 0 to 1500'
    with pytest.raises(ValueError, match=error):
        scale_schedule(iterations(), 0.03)


def test_work_dirs_of_fractions_differ(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text('')
    assert load_config(str(config)).work_dir == 'work_dirs/mine'
    quarter = load_config(str(config), schedule=0.25)
    assert quarter.work_dir == 'work_dirs/mine_x0.25'
    assert load_config(str(config), 'given', schedule=0.25).work_dir == 'given'


def test_learning_rates_of_a_quarter(tmp_path):
    """16 epochs with steps at 8 and 12 become 4 with steps at 2 and 3."""
    cfg = Config(
        dict(
            train_cfg=dict(by_epoch=True, max_epochs=16),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.1, end=3, by_epoch=False),
                dict(type='MultiStepLR', end=16, milestones=[8, 12])
            ]))
    scale_schedule(cfg, 0.25)
    runner = toy_runner(tmp_path, **cfg)
    runner.train()
    lrs = runner.message_hub.get_scalar('train/lr').data[0]
    expected = [0.1, 0.55] + [1] * 8 + [0.1] * 5 + [0.01] * 5
    assert lrs == pytest.approx([0.01 * e for e in expected])


def test_train_has_the_flag(tmp_path):
    done = subprocess.run(
        [sys.executable,
         str(TRAIN), 'none.py', '--schedule', '25%'],
        capture_output=True,
        text=True,
        cwd=tmp_path)
    assert done.returncode == 2 and 'invalid float' in done.stderr
