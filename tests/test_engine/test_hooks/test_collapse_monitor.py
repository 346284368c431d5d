import logging
import math
from types import SimpleNamespace

import pytest
from mmengine.logging import MessageHub

from saip_mm.engine.hooks.collapse_monitor import (CollapseError,
                                                   CollapseMonitorHook)
from ..toy import DIMS, PROTOTYPES, ToyModel, toy_loader, toy_runner

HEALTHY = dict(
    std=1 / math.sqrt(DIMS),
    entropy=math.log(PROTOTYPES) / 2,
    prototypes=5.,
    prototype_use=2.5,
    match=0.3)


@pytest.fixture
def runner(tmp_path):
    name = tmp_path.name
    return SimpleNamespace(
        iter=0,
        model=ToyModel(),
        message_hub=MessageHub.get_instance(name),
        logger=logging.getLogger(name))


def feed(runner, hook, checks=1, **numbers):
    for _ in range(checks * hook.interval):
        for key, value in {**HEALTHY, **numbers}.items():
            runner.message_hub.update_scalar(f'train/health/{key}', value)
        hook.after_train_iter(runner, 0)
        runner.iter += 1


def monitor(**kwargs):
    return CollapseMonitorHook(
        **dict(dict(interval=4, begin=0, patience=2, stop=True), **kwargs))


def test_healthy(runner):
    feed(runner, monitor(), checks=5)


@pytest.mark.parametrize('numbers, message', [
    (dict(std=0.04 / math.sqrt(DIMS)), r'0.04 of 1/sqrt\(D\)'),
    (dict(entropy=0.), 'nearly certain'),
    (dict(entropy=math.log(PROTOTYPES)), 'nearly uniform'),
    (dict(prototypes=3.,
          prototype_use=1.2), 'use 3 prototypes a batch, fewer than 3.75'),
    (dict(match=0.01), 'only 0.01 more often .* does not learn'),
    (dict(match=-0.1), 'only -0.1 more often'),
    (dict(std=math.nan), 'nan of'),
])
def test_each_kind_of_collapse(runner, numbers, message):
    hook = monitor()
    feed(runner, hook, **numbers)  # one bad check is not enough
    with pytest.raises(CollapseError, match=message):
        feed(runner, hook, **numbers)


def test_least_number_of_prototypes(runner):
    """In place of the limit in units of the square root."""
    hook = monitor(min_prototypes=1.5)
    feed(runner, hook, checks=3, prototype_use=0.1)
    with pytest.raises(
            CollapseError, match='use 1 prototypes a batch, fewer than 1.5'):
        feed(runner, hook, checks=2, prototypes=1.)


@pytest.mark.parametrize('images, stuck, learning', [
    (8, 2.5, 10.375),
    (32, 3.0, 26.0),
    (128, 4.0, 41.5),
    (512, 4.5, 73.5),
])
def test_limits_part_measured_trainings_of_any_batch(runner, images, stuck,
                                                     learning):
    """Prototypes in use of two trainings, K = 512: mAP 17.6 to 20.8 with
    momentum 0.9, to 26.2 with 0.99."""
    hook = monitor()
    use = learning / min(images, 512)**0.5
    feed(runner, hook, checks=3, prototypes=learning, prototype_use=use)
    use = stuck / min(images, 512)**0.5
    with pytest.raises(CollapseError, match='balanced targets'):
        feed(runner, hook, checks=2, prototypes=stuck, prototype_use=use)


def test_matching_at_chance_is_seen_where_many_prototypes_are_in_use(runner):
    with pytest.raises(CollapseError, match='matching does not learn'):
        feed(runner, monitor(), checks=2, prototypes=60., match=0.)


def test_bad_checks_must_be_in_a_row(runner):
    hook = monitor()
    for _ in range(3):
        feed(runner, hook, prototype_use=1.)
        feed(runner, hook)


def test_warns_again_and_again_without_stopping(runner, caplog):
    hook = monitor(stop=False)
    feed(runner, hook, checks=6, prototype_use=1.)
    assert caplog.text.count('collapse at iteration') == 3


def test_begin(runner):
    hook = monitor(begin=40)
    feed(runner, hook, checks=10, std=0.)  # iterations 0-39
    with pytest.raises(CollapseError):
        feed(runner, hook, checks=2, std=0.)


def in_a_run(folder, min_spread=0.1, **kwargs):
    """What is judged; the toy's targets are all but uniform, and alike."""
    hook = monitor(
        interval=1, min_spread=min_spread, entropy=(0., 1.1),
        min_use=0.5)  # one of four images
    toy_runner(folder, [hook], **kwargs).train()
    return set(hook.bad_checks)


def test_in_a_run(tmp_path):
    assert in_a_run(tmp_path / 'a') == {'spread', 'entropy', 'prototypes'}
    assert in_a_run(tmp_path / 'b', model=ToyModel(matching=False)) == set()
    with pytest.raises(CollapseError, match='below 100 for 2 checks'):
        in_a_run(tmp_path / 'c', min_spread=100)


def test_one_image_cannot_be_judged(tmp_path):
    loader = toy_loader(5, batch_size=1)
    assert in_a_run(tmp_path, train_dataloader=loader) == {'entropy'}
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert log.count('a batch of one image has no others') == 1
