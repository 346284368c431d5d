import json

import pytest
import torch

from saip_mm.weights.encoder_facts import NORMS, crop_size, encoder_facts
from ..test_models.tiny_saip import build

CONFIG = """
model = dict(encoder=dict(patch_index=1, stride=8))
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=[
    dict(type='DecodeImage'),
    dict(type='mmpretrain.PersonCrops', size=(96, 48), local_size=(32, 16))])))
"""


@pytest.mark.parametrize('which', ['student', 'expert'])
def test_norms_come_back_to_the_bit(which):
    model = build('starnet')
    own = model.encoder if which == 'student' else model.expert.encoder
    with torch.no_grad():
        for name in NORMS:
            getattr(own, name).weight.normal_()
    tokens = encoder_facts(dict(state_dict=model.state_dict()),
                           which)['tokens']
    assert set(tokens) == set(NORMS)
    for name in NORMS:  # through a safetensors file's JSON, too
        for part, values in json.loads(json.dumps(tokens[name])).items():
            found = torch.tensor(values)
            assert torch.equal(found, getattr(getattr(own, name), part))


def test_what_the_config_says():
    found = encoder_facts(
        dict(state_dict={}, meta=dict(cfg=CONFIG)), 'student')
    assert found == dict(
        input=dict(size=[96, 48]), tokens=dict(patch_index=1, stride=8))


def test_the_hook_s_word_counts_more():
    meta = dict(
        cfg=CONFIG,
        encoder=dict(
            mean=(1., ), std=(2., ), patch_index=3, untrained=['ln1.bias']))
    found = encoder_facts(dict(state_dict={}, meta=meta), 'student')
    assert found == dict(
        input=dict(channels='RGB', mean=[1.], std=[2.], size=[96, 48]),
        tokens=dict(patch_index=3, stride=8),
        untrained=['ln1.bias'])


@pytest.mark.parametrize('meta', [{}, dict(encoder='vit'), dict(cfg='{{')])
def test_nothing_is_made_up(meta):
    assert encoder_facts(dict(state_dict={}, meta=meta), 'expert') == {}


@pytest.mark.parametrize('settings', [{},
                                      dict(train_dataloader=None),
                                      dict(train_dataloader=[dict(size=1)])])
def test_no_crops_no_size(settings):
    assert crop_size(settings) is None
