"""2n iterations equal n + resume + n, to the last bit."""
import numpy as np
import pytest
import torch

from .toy import HOOKS, ToyModel, toy_runner

CLOCK = ('train/time', 'train/data_time')


def checkpoint(**kwargs):
    hook = dict(
        type='CheckpointHook', interval=1, backend_args=dict(backend='atomic'))
    return dict(
        logger=dict(type='LoggerHook', interval=1),
        checkpoint=dict(hook, **kwargs))


def run(folder, epochs=2, resume=None, **kwargs):
    if resume:
        kwargs.update(load_from=str(resume), resume=True)
    runner = toy_runner(folder, HOOKS, epochs=epochs, **kwargs)
    runner.train()
    return runner


def same(a, b, where=''):
    assert type(a) is type(b), where
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), where
    elif isinstance(a, dict):
        assert list(a) == list(b), where
        for key in a:
            same(a[key], b[key], f'{where}.{key}')
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b)):
            same(x, y, f'{where}[{i}]')
    else:
        assert a == b, where


def assert_same_training(straight, resumed):
    same(straight.model.state_dict(), resumed.model.state_dict())
    same(straight.optim_wrapper.state_dict(),
         resumed.optim_wrapper.state_dict())
    for one, other in zip(straight.param_schedulers, resumed.param_schedulers):
        same(one.state_dict(), other.state_dict())
    # every number of the log, from the first iteration on
    logs = [r.message_hub.log_scalars for r in (straight, resumed)]
    assert set(logs[0]) == set(logs[1])
    for key in set(logs[0]) - set(CLOCK) - {'train/expert_temperature'}:
        np.testing.assert_array_equal(logs[0][key].data[0],
                                      logs[1][key].data[0], key)


@pytest.mark.parametrize('counts', [1, 2, 3, 4])
def test_by_epoch(tmp_path, counts):
    """5 iterations an epoch: with 2, 3 or 4 a step spans two epochs."""
    straight = run(tmp_path / 'a', counts=counts, default_hooks=checkpoint())
    resumed = run(
        tmp_path / 'b', counts=counts, resume=tmp_path / 'a' / 'epoch_1.pth')
    assert straight.model.drawn[5:] == resumed.model.drawn
    assert_same_training(straight, resumed)
    momenta = straight.model.expert.momenta
    assert len(momenta) == -(-10 // counts)
    assert momenta[-len(resumed.model.expert.momenta):] == \
        resumed.model.expert.momenta


@pytest.mark.parametrize('at', [1, 3, 5, 7])
@pytest.mark.parametrize('counts', [1, 2])
def test_inside_an_epoch(tmp_path, counts, at):
    """And at 5 at an epoch's end, before the epoch is counted."""
    by_iter = checkpoint(by_epoch=False)
    straight = run(tmp_path / 'a', counts=counts, default_hooks=by_iter)
    resumed = run(
        tmp_path / 'b',
        counts=counts,
        resume=tmp_path / 'a' / f'iter_{at}.pth')
    assert straight.model.drawn[at:] == resumed.model.drawn
    assert resumed.iter == 10
    assert_same_training(straight, resumed)


def test_frozen_expert_and_no_matching(tmp_path):
    kwargs = dict(default_hooks=checkpoint())
    straight = run(
        tmp_path / 'a', model=ToyModel(False, matching=False), **kwargs)
    resumed = run(
        tmp_path / 'b',
        model=ToyModel(False, matching=False),
        resume=tmp_path / 'a' / 'epoch_1.pth')
    assert straight.model.expert.momenta == []
    assert_same_training(straight, resumed)


def test_resume_latest(tmp_path):
    run(tmp_path, epochs=2, default_hooks=checkpoint())
    runner = toy_runner(tmp_path, HOOKS, epochs=3, resume=True)
    runner.train()
    assert len(runner.model.drawn) == 5


def test_killed_run_resumes_from_the_checkpoint_before(tmp_path, monkeypatch):
    from saip_mm.engine import AtomicBackend
    put = AtomicBackend.put

    def die_in_epoch_2(self, obj, path):
        if str(path).endswith('epoch_2.pth'):
            raise KeyboardInterrupt
        put(self, obj, path)

    monkeypatch.setattr(AtomicBackend, 'put', die_in_epoch_2)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / 'a', default_hooks=checkpoint())
    monkeypatch.undo()
    resumed = toy_runner(
        tmp_path / 'a', HOOKS, resume=True, default_hooks=checkpoint())
    resumed.train()
    assert_same_training(run(tmp_path / 'b'), resumed)
