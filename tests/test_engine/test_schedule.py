import math
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from saip_mm.engine.schedule import (Planned, Room, fit_schedule,
                                     planned_length, scale_schedule)
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


def fit(cfg, per_epoch, fraction=None, **train_cfg):
    """What becomes of the schedulers when the length is changed so."""
    planned = planned_length(cfg)
    cfg.train_cfg.update(train_cfg)
    if fraction:
        ratio = scale_schedule(cfg, fraction)
        planned = planned._replace(length=planned.length * ratio)
    in_epochs = planned.key == 'max_epochs'
    room = Room(cfg.train_cfg[planned.key] * (per_epoch if in_epochs else 1),
                per_epoch, planned.length * (per_epoch if in_epochs else 1))
    return room.fit(cfg.param_scheduler)


@pytest.mark.parametrize('per_epoch, length', [(100, 210), (3, 210),
                                               (100, 201)])
def test_what_fits_is_left_as_it_is(per_epoch, length):
    cfg = epochs()
    given = cfg.param_scheduler
    assert fit(cfg, per_epoch, max_epochs=length) == (given, '')
    assert cfg.param_scheduler == epochs().param_scheduler


def test_milestones_behind_the_end_move_along():
    """To 170 and 200 of 210 of the way, the first also where it fitted."""
    fitted, line = fit(epochs(), 1000, max_epochs=180)
    assert fitted[0] == epochs().param_scheduler[0]
    assert fitted[1].milestones == [146, 171]  # 145.7, 171.4
    assert fitted[1].end == 180
    assert line == ('the milestones 170, 200: the milestones become 146, 171')


@pytest.mark.parametrize('per_epoch, warm_up, milestones, words', [
    (10, 2, [4], 'the warm-up takes 5 iterations, the milestones become 4'),
    (3, 0, [4], 'the warm-up is left out, the milestones become 4'),
])
def test_a_warm_up_longer_than_the_run(per_epoch, warm_up, milestones, words):
    """170 and 200 of 210 epochs are 4.05 and 4.76 of 5, the end."""
    fitted, line = fit(epochs(), per_epoch, max_epochs=5)
    assert line == ('the warm-up of 500 iterations and the milestones 170, '
                    f'200: {words}')
    assert [s.type for s in fitted
            ] == (['LinearLR'] if warm_up else []) + ['mmengine.MultiStepLR']
    assert fitted[-1].milestones == milestones


def test_a_tenth_of_the_run_is_warm_up_and_the_cosine_follows():
    fitted, line = fit(iterations(), 7, max_iters=1500)
    assert line == ('the warm-up of 1500 iterations: the warm-up takes 150 '
                    'iterations')
    assert [(s.begin, s.get('end')) for s in fitted] == [(0, 150), (150, None)]
    fitted, line = fit(iterations(), 7, max_iters=1501)
    assert line == ''
    fitted, _ = fit(iterations(), 7, max_iters=5)
    assert [(s.type, s.begin) for s in fitted] == [('CosineAnnealingLR', 0)]


def test_phases_in_epochs_become_iterations():
    cfg = Config(
        dict(
            train_cfg=dict(max_epochs=100),
            param_scheduler=[
                dict(type='LinearLR', end=5, convert_to_iter_based=True),
                dict(
                    type='ConstantLR',
                    factor=1,
                    begin=5,
                    end=40,
                    convert_to_iter_based=True),
                dict(
                    type='CosineAnnealingLR',
                    begin=40,
                    end=100,
                    T_max=60,
                    convert_to_iter_based=True)
            ]))
    fitted, line = fit(cfg, 50, max_epochs=2)
    # 2 epochs are 100 iterations: 10, then 40 and 100 of 100 as they were
    assert [(s['begin'] if 'begin' in s else 0, s['end'], s['by_epoch'])
            for s in fitted] == [(0, 10, False), (10, 40, False),
                                 (40, 100, False)]
    assert fitted[2]['T_max'] == 60
    assert 'ConstantLR from epoch 5 to 40' in line


def test_without_a_plan_what_lies_behind_the_end_is_left_out():
    room = Room(100, 10)
    given = [
        dict(type='LinearLR', end=800, by_epoch=False),
        dict(type='MultiStepLR', milestones=[24, 27]),
        dict(type='CosineAnnealingLR', begin=0, end=20),
    ]
    fitted, line = room.fit(given)
    assert fitted == [
        dict(type='LinearLR', end=10, by_epoch=False),
        dict(type='CosineAnnealingLR', begin=0, end=10)
    ]
    assert line.endswith(
        'the warm-up takes 10 iterations, the milestones are left out, '
        'CosineAnnealingLR from epoch 0 to 10')
    assert given[0]['end'] == 800  # the given ones are untouched


def test_a_decay_to_the_end_is_no_warm_up():
    decay = dict(type='LinearLR', start_factor=1, end_factor=0, end=10)
    fitted, line = Room(20, 10, 100).fit([decay])
    assert fitted == [dict(decay, end=2)]
    assert 'LinearLR from epoch 0 to 10: LinearLR from epoch 0 to 2' == line


@pytest.mark.parametrize('fraction', [0.03, 0.001, 1e-6])
def test_a_fraction_beside_the_warm_up_fits_too(fraction):
    for cfg, per_epoch in ((iterations(), 9), (epochs(), 40)):
        fitted, line = fit(cfg, per_epoch, fraction)
        length = cfg.train_cfg.get('max_epochs',
                                   cfg.train_cfg.get('max_iters'))
        assert length >= 1 and line
        for scheduler in fitted:
            assert scheduler.get('begin', 0) < scheduler.get('end', 10**9)
            # mmengine would lower the rate at once
            assert 0 not in scheduler.get('milestones', [])


def test_a_fraction_of_a_shorter_run():
    """--schedule 0.1 with max_epochs=100 of 210."""
    fitted, _ = fit(epochs(), 1000, 0.1, max_epochs=100)
    assert fitted[1].milestones == [8]  # 17 and 20 of 21, 8.1 and 9.5 of 10


def cycles():
    """A-CE2P's in 150 epochs; the cosine begins with the last warm-up step."""
    return Config(
        dict(
            train_cfg=dict(max_epochs=150),
            param_scheduler=[
                dict(type='LinearLR', begin=0, end=31),
                dict(type='CosineAnnealingLR', begin=30, end=120),
                dict(type='CosineRestartLR', periods=[10] * 4, begin=120)
            ]))


@pytest.mark.parametrize('fraction, wanted', [
    (0.5, [(0, 31), (30, 60), (60, None)]),
    (0.25, [(0, 8), (8, 30), (30, None)]),
])
def test_a_warm_up_that_leaves_no_room_shrinks_too(fraction, wanted):
    cfg = cycles()
    scale_schedule(cfg, fraction)
    assert [(s.begin, s.get('end')) for s in cfg.param_scheduler] == wanted
    assert cfg.param_scheduler[2].periods == [round(10 * fraction + .1)] * 4


@pytest.mark.parametrize(
    'fraction, begin, period, length',
    [
        (1, 120, 10, 150),
        (0.5, 60, 5, 75),
        (0.25, 30, 3, 39),  # not 38, which would leave the third unfinished
        (0.1, 12, 1, 15),
        (0.07, 9, 1, 11),
    ])
def test_a_rate_that_restarts_ends_with_a_cycle(fraction, begin, period,
                                                length):
    cfg = cycles()
    assert scale_schedule(cfg, fraction) == length / 150
    restarts = cfg.param_scheduler[2]
    assert (restarts.begin, restarts.periods[0]) == (begin, period)
    assert cfg.train_cfg.max_epochs == length


@pytest.mark.parametrize('fraction, length', [(0.02, 3), (0.03, 5)])
def test_no_warm_up_is_left_at_its_start(fraction, length):
    """One epoch of 31 would be; cycles of no epoch are none."""
    fitted, line = fit(cycles(), 10, fraction)
    warm_up, cosine, restarts = fitted
    assert (warm_up['end'], warm_up['by_epoch']) == (length, False)
    assert (cosine['begin'], cosine['end']) == (0, length - 1)
    assert (restarts['begin'], restarts['periods']) == (length - 1, [1] * 4)
    assert line == ('the warm-up of 31 epochs: the warm-up takes '
                    f'{length} iterations')


@pytest.mark.parametrize(
    'length, wanted',
    [
        (75, [(0, 31), (30, 60), (60, None)]),
        (30, [(0, 30), (3, 24), (24, None)]),  # in iterations, a tenth of 300
        (38, [(0, 38), (3, 30), (30, None)]),
    ])
def test_what_follows_a_warm_up_begins_at_its_end(length, wanted):
    """Where the run is shortened, with ten iterations an epoch."""
    fitted, line = fit(cycles(), 10, max_epochs=length)
    assert [(s['begin'], s.get('end')) for s in fitted] == wanted
    assert 'CosineAnnealingLR from epoch 30 to 120' in line
    assert ('the warm-up of 31 epochs' in line) == (length < 75)


def test_the_runner_says_it_in_one_line_and_notes_it(tmp_path, log):
    runner = toy_runner(
        tmp_path,
        epochs=1,
        cfg=dict(train_cfg=dict(max_epochs=1)),
        param_scheduler=[
            dict(type='LinearLR', end=2, convert_to_iter_based=True),
            dict(
                type='CosineAnnealingLR', begin=2, convert_to_iter_based=True)
        ])
    runner.logger.addHandler(log.handler)
    fit_schedule(runner, Planned('max_epochs', 4))
    line = ('train_cfg.max_epochs=1 (5 iterations) is shorter than the '
            'warm-up of 2 epochs: the warm-up is left out')
    assert log.text.count('is shorter than') == 1 and line in log.text
    assert len(runner.cfg.param_scheduler) == 1
    dumped = Config.fromfile(next(tmp_path.glob('*.py')))
    assert dumped.param_scheduler == runner.cfg.param_scheduler
    runner.train()
    rates = runner.message_hub.get_scalar('train/lr').data[0]
    assert rates == pytest.approx(
        [0.005 * (1 + math.cos(math.pi * k / 5)) for k in range(5)])


def test_schedulers_of_several_optimisers_fit(tmp_path, log):
    runner = toy_runner(tmp_path, epochs=1)
    warm = dict(type='LinearLR', end=9, by_epoch=False)
    runner.param_schedulers = dict(a=warm, b=[dict(warm, end=3)])
    fit_schedule(runner)
    assert runner.param_schedulers == dict(a=[], b=[dict(warm, end=3)])


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


def plateau(epochs=30, **settings):
    """Attributes' schedule: the rate falls by the loss of validation."""
    rate = dict(type='ReduceOnPlateauLR', monitor='loss', patience=4)
    return Config(
        dict(
            train_cfg=dict(max_epochs=epochs, val_interval=1),
            param_scheduler=[dict(rate, **settings)]))


@pytest.mark.parametrize(
    'fraction, length, patience',
    [
        (0.02, 1, 1),
        (0.25, 8, 1),  # 4 x 8 / 30 = 1.07
        (0.5, 15, 2),
        (0.75, 23, 3),
        (1, 30, 4),
    ])
def test_patience_is_of_the_length(fraction, length, patience):
    cfg = plateau(cooldown=0)
    scale_schedule(cfg, fraction)
    assert cfg.train_cfg.max_epochs == length
    assert cfg.param_scheduler[0].patience == patience
    assert cfg.param_scheduler[0].cooldown == 0


@pytest.mark.parametrize(
    'epochs, interval, patience',
    [
        (30, 1, 4),
        (7, 1, 4),  # best, five worse, and one at the lower rate
        (6, 1, 1),
        (15, 2, 4),
        (12, 2, 2),  # 4 x 12 / 30 = 1.6
        (1, 1, 1),
    ])
def test_a_patience_that_outlasts_the_run(epochs, interval, patience):
    room = Room(10 * epochs, 10, 300, interval)
    given = plateau().param_scheduler
    (new, ), line = room.fit(given)
    assert new['patience'] == patience
    wanted = ('the patience of 4 validations: ReduceOnPlateauLR waits for '
              f'{patience}')
    assert line == ('' if patience == 4 else wanted)
    assert given[0].patience == 4


def test_without_a_plan_the_patience_stays():
    given = plateau().param_scheduler
    assert Room(10, 10).fit(given) == (given, '')
