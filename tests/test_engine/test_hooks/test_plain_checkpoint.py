import pathlib
from enum import IntEnum

import numpy as np
import pytest
import torch

from saip_mm.engine.hooks.plain_checkpoint import to_plain
from ..toy import HOOKS, toy_runner


class Colour(IntEnum):
    RED = 1


@pytest.mark.parametrize('value, plain', [
    (np.float32(0.5), 0.5),
    (np.bool_(True), True),
    ({
        'a': (1, [np.int64(2)]),
        3: None
    }, {
        'a': (1, [2]),
        3: None
    }),
    (pathlib.Path('a') / 'b', str(pathlib.Path('a') / 'b')),
    ({2, 1}, [1, 2]),
    (np.array(['x', 'y']), ['x', 'y']),
    (Colour.RED, 1),
    (torch.float16, 'torch.float16'),
])
def test_to_plain(value, plain):
    result = to_plain(value)
    assert result == plain and type(result) is type(plain)


def test_arrays_become_tensors():
    tensor = to_plain(np.array([1.5, 2.5]))
    assert tensor.dtype == torch.float64 and tensor.tolist() == [1.5, 2.5]


def saved(tmp_path, **kwargs):
    hook = dict(
        type='CheckpointHook', interval=1, backend_args=dict(backend='atomic'))
    runner = toy_runner(
        tmp_path,
        HOOKS,
        epochs=1,
        default_hooks=dict(checkpoint=hook),
        **kwargs)
    runner.train()
    return runner, tmp_path / 'epoch_1.pth'


def test_opens_with_weights_only(tmp_path):
    runner, path = saved(tmp_path)
    checkpoint = torch.load(path, weights_only=True)
    assert set(checkpoint) == {
        'meta', 'state_dict', 'message_hub', 'optimizer', 'param_schedulers'
    }
    assert checkpoint['meta']['iter'] == 5
    loss = checkpoint['message_hub']['log_scalars']['train/loss']
    np.testing.assert_array_equal(
        loss['history'],
        runner.message_hub.get_scalar('train/loss').data[0])


def test_history_is_usable_after_resume(tmp_path):
    runner, path = saved(tmp_path / 'a')
    resumed = toy_runner(
        tmp_path / 'b', HOOKS, load_from=str(path), resume=True)
    resumed.train_loop
    resumed.train()
    before = runner.message_hub.get_scalar('train/loss')
    after = resumed.message_hub.get_scalar('train/loss')
    assert len(after.data[0]) == 10
    np.testing.assert_array_equal(before.data[0], after.data[0][:5])
    assert after.mean(10) == pytest.approx(after.data[0].mean())


def test_history_is_bounded(tmp_path):
    hook = dict(
        type='CheckpointHook', interval=1, backend_args=dict(backend='atomic'))
    runner = toy_runner(
        tmp_path, [dict(type='PlainCheckpointHook', max_history=3)],
        default_hooks=dict(checkpoint=hook))
    runner.train()
    assert len(runner.message_hub.get_scalar('train/loss').data[0]) == 3
    checkpoint = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)
    scalars = checkpoint['message_hub']['log_scalars']
    assert len(scalars['train/loss']['history']) == 3


def test_accumulated_gradients_are_saved_only_when_pending(tmp_path):
    _, path = saved(tmp_path / 'a', counts=2)  # 5 iterations: a rest, used up
    assert 'gradients' not in torch.load(path, weights_only=True)
    hook = dict(
        type='CheckpointHook', interval=1, backend_args=dict(backend='atomic'))
    toy_runner(
        tmp_path / 'b', HOOKS, counts=2,
        default_hooks=dict(checkpoint=hook)).train()
    one = torch.load(tmp_path / 'b' / 'epoch_1.pth', weights_only=True)
    assert 'encoder.conv.weight' in one['gradients']
    assert not any(name.startswith('expert') for name in one['gradients'])
    two = torch.load(tmp_path / 'b' / 'epoch_2.pth', weights_only=True)
    assert 'gradients' not in two


def test_only_loading_weights_takes_up_no_gradients(tmp_path):
    hook = dict(
        type='CheckpointHook', interval=1, backend_args=dict(backend='atomic'))
    toy_runner(
        tmp_path / 'a', HOOKS, counts=2,
        default_hooks=dict(checkpoint=hook)).train()
    runner = toy_runner(tmp_path / 'b', HOOKS)
    runner.load_checkpoint(str(tmp_path / 'a' / 'epoch_1.pth'))
    assert all(p.grad is None for p in runner.model.parameters())
