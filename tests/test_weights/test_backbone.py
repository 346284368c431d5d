import pytest
import torch

from mmpretrain.registry import MODELS
from saip_mm.weights import extract_backbone, load_weights
from ..test_models.tiny_saip import VIT, build


@pytest.mark.parametrize('which', ['student', 'expert'])
@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_the_asked_encoder_is_taken(which, prefix):
    model = build()
    with torch.no_grad():
        for parameter in model.expert.parameters():
            parameter.add_(1.)
    checkpoint = dict(
        meta=dict(epoch=5),
        state_dict={
            prefix + k: v
            for k, v in model.state_dict().items()
        })
    weights, meta = extract_backbone(checkpoint, which)
    source = model.encoder if which == 'student' else model.expert.encoder
    expected = source.backbone.state_dict()
    expected.pop('pos_grid')
    assert list(weights) == list(expected)
    assert all(torch.equal(weights[key], expected[key]) for key in expected)
    assert meta == dict(epoch=5, position_grid=[4, 2])


def test_a_fine_tuned_classifier_gives_its_backbone():
    weights, _ = extract_backbone({
        'backbone.a': torch.ones(1),
        'head.b': torch.ones(1)
    })
    assert list(weights) == ['a']


def test_absent_encoder_is_named():
    checkpoint = dict(state_dict={'encoder.backbone.a': torch.ones(1)})
    with pytest.raises(ValueError, match='no expert.*frozen.*encoder.backb'):
        extract_backbone(checkpoint, 'expert')
    with pytest.raises(ValueError, match="no student: .*'decoder.a'"):
        extract_backbone({'decoder.a': torch.ones(1)})
    with pytest.raises(ValueError, match="got 'teacher'"):
        extract_backbone(checkpoint, 'teacher')


def test_fitting_weights_are_loaded():
    source, target = (
        MODELS.build(VIT | dict(img_size=size))
        for size in ((64, 32), (96, 48)))
    source.init_weights()
    weights = source.state_dict()
    weights.pop('pos_grid')
    load_weights(target, weights)
    assert torch.equal(target.cls_token, source.cls_token)


def test_other_architecture_is_named_and_nothing_loaded():
    model = MODELS.build(VIT)
    weights = {k: v + 1 for k, v in model.state_dict().items()}
    weights['head.weight'] = torch.ones(1)
    weights['cls_token'] = torch.ones(1, 1, 8)
    for layer in range(3):
        for name in ('weight', 'bias'):
            weights.pop(f'layers.{layer}.ln1.{name}')
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(ValueError) as error:
        load_weights(model, weights, source='some.pth')
    message = str(error.value)
    assert 'some.pth does not fit GridVisionTransformer' in message
    assert 'missing: layers.0.ln1.weight, layers.0.ln1.bias' in message
    assert 'and 1 more' in message
    assert 'unexpected: head.weight;' in message
    assert 'of another shape: cls_token (1, 1, 8) for (1, 1, 16)' in message
    assert 'tools/model_converters' in message
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]), key
