import pytest
import torch

from saip_mm.weights import backbone_options, extract_backbone
from ..test_models.tiny_saip import build


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


@pytest.mark.parametrize('key', ['cfg', 'cfg_not_run'])
@pytest.mark.parametrize('text, said', [
    ("model = dict(backbone=dict(type='A', last_stride=1, depths=(1, )))",
     dict(last_stride=1)),
    ('model = dict(encoder=dict(backbone=dict(mask_padding=True)), '
     'backbone=dict(last_stride=1))', dict(mask_padding=True)),
    ('model = dict(backbone=dict(arch=dict(num_heads=2)))', dict(num_heads=2)),
    ("model = dict(backbone=dict(arch='deit-tiny', num_heads=None))", {}),
    ('model = dict(num_heads=3, head=dict(num_heads=4))', {}),
    ('model = 3', {}),
    ('import os', {}),
])
def test_a_task_s_checkpoint_says_it_by_its_config(text, said, key):
    assert backbone_options(dict(meta={key: text})) == said
    told = dict(backbone=dict(last_stride=2))
    assert backbone_options(dict(meta={key: text, **told})) == told['backbone']
