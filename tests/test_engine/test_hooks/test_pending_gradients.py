import pytest
import torch

from saip_mm.engine.hooks import pending_gradients
from saip_mm.weights import read_checkpoint
from ..toy import toy_runner

HOOKS = ['IterationSeedHook', 'PendingGradientsHook']


def saved(folder, name='iter_2.pth', **kwargs):
    """A training that saves every second iteration, and one of its files."""
    runner = toy_runner(
        folder,
        HOOKS,
        epochs=1,
        default_hooks=dict(
            checkpoint=dict(type='CheckpointHook', interval=2,
                            by_epoch=False)),
        **kwargs)
    runner.train()
    return read_checkpoint(str(folder / name))


def loaded(folder, path, resume):
    """Gradients of a runner by name, after it has loaded a file."""
    runner = toy_runner(
        folder, HOOKS, load_from=str(path), resume=resume, counts=4)
    runner.load_or_resume()
    return {
        name: param.grad
        for name, param in runner.model.named_parameters()
        if param.grad is not None
    }


def test_what_is_accumulated_is_saved_by_name(tmp_path):
    """With 4 iterations a step, two of them wait in the file of the second."""
    content = saved(tmp_path, counts=4)
    gradients = content['gradients']
    assert set(gradients) == {
        'encoder.cls_token', 'encoder.conv.weight', 'encoder.conv.bias',
        'encoder.norm.weight', 'encoder.norm.bias',
        'heads.csm.prototypes.weight'
    }
    assert all(g.device.type == 'cpu' and g.abs().sum() > 0
               for g in gradients.values())
    # after the step of the fourth there is nothing
    later = read_checkpoint(str(tmp_path / 'iter_4.pth'))
    assert 'gradients' not in later


def test_nothing_is_added_where_each_iteration_is_a_step(tmp_path):
    assert 'gradients' not in saved(tmp_path, counts=1)


def test_a_resume_takes_them_up_and_other_loading_does_not(tmp_path):
    gradients = saved(tmp_path, counts=4)['gradients']
    path = tmp_path / 'iter_2.pth'
    assert loaded(tmp_path, path, resume=False) == {}
    found = loaded(tmp_path, path, resume=True)
    assert found.keys() == gradients.keys()
    for name, gradient in gradients.items():
        assert torch.equal(found[name], gradient), name
    said = ''.join(log.read_text() for log in tmp_path.glob('*/*.log'))
    assert said.count('resumed 6 gradients accumulated since the last') == 1


@pytest.mark.parametrize('where', ['save', 'load'])
def test_several_processes_have_gradients_of_their_own(tmp_path, monkeypatch,
                                                       where):
    if where == 'load':
        assert 'gradients' in saved(tmp_path, counts=4)
    monkeypatch.setattr(pending_gradients, 'get_world_size', lambda: 2)
    if where == 'save':
        assert 'gradients' not in saved(tmp_path, counts=4)
    else:
        assert loaded(tmp_path, tmp_path / 'iter_2.pth', resume=True) == {}


def test_a_file_of_weights_alone_gets_none():
    weights = dict(state_dict={})
    hook = pending_gradients.PendingGradientsHook()
    hook.before_save_checkpoint(None, weights)
    assert weights == dict(state_dict={})
