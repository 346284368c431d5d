import pytest
import torch

from saip_mm.engine import FreezePrototypesHook
from ..toy import ToyModel, toy_runner


class Recorder(ToyModel):

    def forward(self, inputs, mode='loss', **kwargs):
        weight = self.heads['csm'].prototypes.weight
        self.seen = getattr(self, 'seen', [])
        self.seen.append(weight.detach().clone())
        return super().forward(inputs, mode, **kwargs)


@pytest.mark.parametrize('counts', [1, 2])
def test_neither_moved_nor_decayed_in_the_first_epoch(tmp_path, counts):
    runner = toy_runner(
        tmp_path, ['FreezePrototypesHook'], model=Recorder(), counts=counts)
    runner.train()
    seen = runner.model.seen
    assert all(torch.equal(seen[0], weight) for weight in seen[:6])
    assert not torch.equal(seen[0], seen[-1])


def test_no_optimiser_state_while_frozen(tmp_path):
    runner = toy_runner(tmp_path, ['FreezePrototypesHook'], epochs=1)
    runner.train()
    weight = runner.model.heads['csm'].prototypes.weight
    assert weight not in runner.optim_wrapper.optimizer.state
    assert runner.model.encoder.conv.weight in \
        runner.optim_wrapper.optimizer.state


def test_gradient_is_computed_and_counts_for_the_norm(tmp_path):
    """DistributedDataParallel must not see an unused parameter."""
    norms = []
    for hooks in ((), ('FreezePrototypesHook', )):
        runner = toy_runner(tmp_path, ('IterationSeedHook', ) + hooks)
        runner.train()
        grad_norm = runner.message_hub.get_scalar('train/grad_norm')
        norms.append(grad_norm.data[0][0])
    assert norms[0] == norms[1]


@pytest.mark.parametrize('epochs', [0, 2])
def test_number_of_epochs(tmp_path, epochs):
    hook = dict(type='FreezePrototypesHook', epochs=epochs)
    runner = toy_runner(tmp_path, [hook], model=Recorder())
    runner.train()
    seen = runner.model.seen
    assert torch.equal(seen[0], seen[-1]) == (epochs == 2)
    assert not runner.optim_wrapper.optimizer._optimizer_step_pre_hooks


def test_nothing_to_freeze(tmp_path):
    model = ToyModel(False)
    model.heads['csm'].register_module('prototypes', None)
    hook = FreezePrototypesHook()
    runner = toy_runner(tmp_path, model=model)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    hook.before_train(runner)
    assert not runner.optim_wrapper.optimizer._optimizer_step_pre_hooks
    hook.after_train(runner)
