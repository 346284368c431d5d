import math

import pytest
import torch
from mmengine.logging import MessageHub

from saip_mm.models.finite import (NonFiniteError, check_finite_losses,
                                   training_state)
from ..test_engine.toy import ToyModel, toy_runner


@pytest.fixture
def hub(monkeypatch, request):
    """A message hub of one's own in place of the current one."""
    own = MessageHub(request.node.name)
    monkeypatch.setattr(MessageHub, 'get_current_instance',
                        classmethod(lambda cls: own))
    return own


def test_finite_losses_pass():
    check_finite_losses({
        'loss_a': torch.tensor(1.),
        'loss_b': [torch.ones(2), torch.zeros(())],
        'health/std': torch.tensor(math.nan)
    })
    check_finite_losses({})


def test_non_finite_loss_stops_at_once_and_says_where(tmp_path):

    class Breaks(ToyModel):

        def forward(self, inputs, mode='loss', **kwargs):
            losses = super().forward(inputs, mode, **kwargs)
            if len(self.drawn) == 4:
                self.before = self.encoder.conv.weight.clone()
                losses['loss_csm'] = losses['loss_csm'] * math.inf
            return losses

    checkpoint = dict(
        type='CheckpointHook',
        interval=2,
        by_epoch=False,
        backend_args=dict(backend='atomic'))
    runner = toy_runner(
        tmp_path, model=Breaks(), default_hooks=dict(checkpoint=checkpoint))
    with pytest.raises(NonFiniteError) as error:
        runner.train()
    message = str(error.value)
    for part in ('loss_csm is inf', 'iteration 4 of 10', 'epoch 1',
                 'learning rate', 'gradient norm', 'iter_2.pth',
                 'other terms: loss_csr'):
        assert part in message
    torch.testing.assert_close(
        runner.model.encoder.conv.weight, runner.model.before, rtol=0, atol=0)
    assert (tmp_path / 'last_checkpoint').read_text().endswith('iter_2.pth')


def test_what_is_not_known_is_left_out(hub):
    assert training_state() == 'last checkpoint none yet'
    hub.update_info('iter', 0)
    assert training_state() == ('iteration 1 of ?, last checkpoint none yet')
    for key, value in dict(max_iters=9, epoch=2, last_ckpt='a.pth').items():
        hub.update_info(key, value)
    hub.update_scalars({
        'train/lr':
        0.001234567,
        'train/grad_norm':
        dict(value=torch.tensor(12345.6), count=1)
    })
    assert training_state() == (
        'iteration 1 of 9, epoch 3, learning rate 0.001235, gradient norm of '
        'the last step 1.235e+04, last checkpoint a.pth')


def test_every_bad_term_is_named_beside_the_good_ones(hub):
    losses = {
        'loss_a': [torch.ones(2), torch.tensor([1., math.nan])],
        'loss_b': torch.tensor([2., 4.]),
        'loss_c': [torch.tensor(1.), torch.tensor([3., 5.])],
        'aux.loss_d': torch.tensor(-math.inf),
        'accuracy': torch.tensor(math.nan),
    }
    with pytest.raises(NonFiniteError) as error:
        check_finite_losses(losses)
    # means of 2 and 4, and 1 plus the mean of 3 and 5
    assert str(error.value).startswith(
        'loss_a is nan, aux.loss_d is -inf (last checkpoint none yet; other '
        'terms: loss_b 3, loss_c 5). The step was not taken')
    with pytest.raises(NonFiniteError, match='other terms: none'):
        check_finite_losses(dict(loss=torch.tensor(math.nan)))


def test_gradients_of_a_half_precision_loss_stay():
    value = torch.tensor(3., dtype=torch.float16, requires_grad=True)
    check_finite_losses(dict(loss=value * 2))
    assert value.grad is None and value.requires_grad
    assert issubclass(NonFiniteError, FloatingPointError)
