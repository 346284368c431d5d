import math

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from saip_mm.engine import (NonFiniteError, TensorClipAmpOptimWrapper,
                            TensorClipCpuAmpOptimWrapper,
                            TensorClipOptimWrapper)
from saip_mm.engine.optim.tensor_clip import clip_each_
from ..toy import ToyModel


def dino_clip(grads, max_norm):
    """utils.clip_gradients of DINO, in float64."""
    for grad in grads:
        scale = max_norm / (float(grad.norm(2)) + 1e-6)
        if scale < 1:
            grad.mul_(scale)


@pytest.mark.parametrize('max_norm', [0.1, 3., math.inf])
def test_each_tensor_is_clipped_by_its_own_norm(max_norm):
    draw = torch.Generator().manual_seed(0)
    shapes = [(3, 4), (), (50, ), (2, 3, 4, 5), (7, )]
    sizes = [1e-3, 1, 10, 3, 0]
    grads = [
        torch.randn(s, generator=draw).double() * k
        for s, k in zip(shapes, sizes)
    ]
    expected = [g.clone() for g in grads]
    total = torch.cat([g.flatten() for g in grads]).norm()
    dino_clip(expected, max_norm)
    assert clip_each_(grads, max_norm) == pytest.approx(float(total))
    torch.testing.assert_close(grads, expected)


def build(model, **kwargs):
    init_default_scope('mmpretrain')
    cfg = dict(
        type='TensorClipOptimWrapper',
        optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.04),
        constructor='BackboneLayerDecayOptimWrapperConstructor')
    cfg.update(kwargs)
    return build_optim_wrapper(model, cfg)


def test_gradient_norm_is_recorded_before_clipping():
    param = nn.Parameter(torch.zeros(2))
    wrapper = TensorClipOptimWrapper(
        optimizer=torch.optim.SGD([param], lr=1.), clip_grad=dict(max_norm=1))
    wrapper.update_params((param * torch.tensor([3., 4.])).sum())
    recorded = wrapper.message_hub.get_scalar('train/grad_norm')
    assert recorded.current() == pytest.approx(5)
    torch.testing.assert_close(param.data, torch.tensor([-.6, -.8]))


def test_accumulated_gradients_are_clipped_once():
    param = nn.Parameter(torch.zeros(2))
    wrapper = TensorClipOptimWrapper(
        optimizer=torch.optim.SGD([param], lr=1.),
        accumulative_counts=2,
        clip_grad=dict(max_norm=1.))
    for loss in (param[0] * 12, param[1] * 16):  # mean: (6, 8), norm 10
        wrapper.update_params(loss)
    torch.testing.assert_close(param.data, torch.tensor([-.6, -.8]))


@pytest.mark.parametrize('clip', [
    dict(type='value', clip_value=1.),
    dict(max_norm=0.),
    dict(max_norm=1., norm_type=1),
])
def test_other_clips_are_refused(clip):
    with pytest.raises(ValueError, match='max_norm > 0 and nothing else'):
        build(ToyModel(), clip_grad=clip)


def test_non_finite_gradient_stops_before_the_step():
    param = nn.Parameter(torch.zeros(1))
    wrapper = TensorClipOptimWrapper(optimizer=torch.optim.SGD([param], lr=1.))
    with pytest.raises(NonFiniteError, match='1 of 1 gradients'):
        wrapper.update_params(param.sqrt().sum())  # d sqrt(0) = inf
    assert param.item() == 0


class OnCpu:
    """The mixed precision wrapper with torch's loss scaler for CPU."""

    def build(self, monkeypatch, param, **kwargs):
        module = 'mmengine.optim.optimizer.amp_optimizer_wrapper'
        monkeypatch.setattr(f'{module}.is_cuda_available', lambda: True)
        wrapper = TensorClipAmpOptimWrapper(
            optimizer=torch.optim.SGD([param], lr=1.), **kwargs)
        wrapper.loss_scaler = torch.amp.GradScaler('cpu', init_scale=1024.)
        return wrapper


def test_mixed_precision_clips_unscaled_gradients(monkeypatch):
    param = nn.Parameter(torch.zeros(2))
    wrapper = OnCpu().build(monkeypatch, param, clip_grad=dict(max_norm=1.))
    wrapper.update_params((param * torch.tensor([3., 4.])).sum())
    recorded = wrapper.message_hub.get_scalar('train/grad_norm')
    assert recorded.current() == pytest.approx(5)
    torch.testing.assert_close(param.data, torch.tensor([-.6, -.8]))


def test_mixed_precision_skips_a_step_that_overflows(monkeypatch):
    param = nn.Parameter(torch.zeros(1))
    wrapper = OnCpu().build(monkeypatch, param)
    wrapper.update_params(param.sqrt().sum())
    assert param.item() == 0
    assert wrapper.loss_scaler.get_scale() == 512
    state = wrapper.state_dict()
    again = OnCpu().build(monkeypatch, nn.Parameter(torch.zeros(1)))
    again.load_state_dict(state)
    assert again.loss_scaler.get_scale() == 512


def test_mixed_precision_on_a_cpu():
    layer = nn.Linear(4, 2)
    before = layer.weight.clone()
    wrapper = TensorClipCpuAmpOptimWrapper(
        optimizer=torch.optim.SGD(layer.parameters(), lr=1.),
        accumulative_counts=2,
        clip_grad=dict(max_norm=0.5))
    for _ in range(2):
        with wrapper.optim_context(layer):
            out = layer(torch.ones(3, 4))
        assert out.dtype == torch.bfloat16
        assert layer.weight.dtype == torch.float32
        wrapper.update_params(out.float().sum())
    assert not torch.is_autocast_enabled('cpu')
    # gradient 3 everywhere, clipped once to the norm 0.5 of the weight
    torch.testing.assert_close(before - layer.weight,
                               torch.full((2, 4), 0.5 / 8**0.5))
    recorded = wrapper.message_hub.get_scalar('train/grad_norm')
    assert recorded.current() == pytest.approx((10 * 9)**0.5)


def test_mixed_precision_on_a_cpu_stops_at_non_finite_gradients():
    param = nn.Parameter(torch.zeros(1))
    wrapper = TensorClipCpuAmpOptimWrapper(
        optimizer=torch.optim.SGD([param], lr=1.))
    with pytest.raises(NonFiniteError, match='1 of 1 gradients'):
        wrapper.update_params(param.sqrt().sum())
