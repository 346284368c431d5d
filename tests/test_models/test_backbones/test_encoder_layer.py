import copy

import pytest
import torch

from mmpretrain.models.backbones.vision_transformer import \
    TransformerEncoderLayer
from saip_mm.models.backbones.attention import UnboundAttention
from saip_mm.models.backbones.encoder_layer import (LightEncoderLayer,
                                                    lighten_layer)


def layer(**kwargs):
    torch.manual_seed(0)
    return TransformerEncoderLayer(8, 2, 16, **kwargs)


@pytest.mark.parametrize('kwargs', [
    dict(),
    dict(qkv_bias=False),
    dict(layer_scale_init_value=0.5),
    dict(drop_path_rate=0.5)
])
def test_values_and_gradients_are_the_parents(kwargs):
    parent = layer(**kwargs).double()
    light = copy.deepcopy(parent)
    lighten_layer(light)
    assert type(light) is LightEncoderLayer
    assert list(light.state_dict()) == list(parent.state_dict())
    results = []
    for block in (parent, light):
        torch.manual_seed(1)  # the same paths are dropped
        x = torch.randn(4, 5, 8, dtype=torch.float64, requires_grad=True)
        out = block(x)
        results.append((out, *torch.autograd.grad(out.square().sum(),
                                                  (x, *block.parameters()))))
    for ours, theirs in zip(*reversed(results)):
        torch.testing.assert_close(ours, theirs)
    with torch.no_grad():
        torch.testing.assert_close(light.eval()(x), parent.eval()(x))


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize(
    'kwargs',
    [dict(), dict(qkv_bias=False),
     dict(layer_scale_init_value=0.5)])
def test_first_tokens_equal_those_of_the_whole_block(kwargs, training):
    block = layer(**kwargs).double().train(training)
    lighten_layer(block)
    results = []
    for first in (lambda x: block(x)[:, :2], lambda x: block(x, first=2)):
        torch.manual_seed(1)
        x = torch.randn(4, 5, 8, dtype=torch.float64, requires_grad=True)
        out = first(x)
        results.append((out, *torch.autograd.grad(out.square().sum(),
                                                  (x, *block.parameters()))))
        with torch.no_grad():
            torch.testing.assert_close(first(x), out)
    for ours, theirs in zip(*reversed(results)):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize('kwargs', [
    dict(act_cfg=dict(type='ReLU')),
    dict(drop_rate=0.1),
    dict(ffn_type='swiglu_fused')
])
def test_other_blocks_stay_as_they_are(kwargs):
    block = layer(**kwargs)
    lighten_layer(block)
    assert type(block) is TransformerEncoderLayer
    assert type(block.attn) is UnboundAttention
