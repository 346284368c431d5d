"""Continuing from files: whole backbones only, and as they were trained."""
from collections import OrderedDict

import pytest
import torch
from mmengine.config import Config

from mmpretrain.registry import MODELS
from saip_mm.apis.start_weights import starting_weights, weights_place
from saip_mm.engine import config_path

EXPERT = 'expert.encoder.backbone.'


def backbone(name, **kwargs):
    torch.manual_seed(3)
    cfg = Config.fromfile(config_path(f'saip/{name}.py')).model.encoder
    module = MODELS.build(dict(cfg.backbone, **kwargs))
    module.init_weights()
    return module


@pytest.fixture(scope='module')
def vit():
    return backbone('vit_tiny')


def save(path, weights, **meta):
    torch.save(dict(state_dict=OrderedDict(weights), meta=meta), path)
    return str(path)


def prefixed(prefix, weights):
    return {prefix + key: value for key, value in weights.items()}


def loaded(start, name='vit_tiny'):
    return backbone(name, **start).state_dict()


def test_a_published_backbone(vit, tmp_path):
    path = save(tmp_path / 'a.pth', vit.state_dict())
    start = starting_weights(path, 'student', 'vit_tiny')
    assert start == dict(init_cfg=dict(type='Pretrained', checkpoint=path))
    for key, value in loaded(start).items():
        assert torch.equal(value, vit.state_dict()[key]), key


def test_student_and_expert_of_a_training(vit, tmp_path):
    weights = vit.state_dict()
    shifted = {
        key: value + value.is_floating_point()
        for key, value in weights.items()
    }
    path = save(
        tmp_path / 'epoch_3.pth',
        prefixed('encoder.backbone.', weights)
        | prefixed(EXPERT, shifted))
    for which, expected in (('student', weights), ('expert', shifted)):
        found = loaded(starting_weights(path, which, 'vit_tiny'))
        assert torch.equal(found['cls_token'], expected['cls_token'])
        assert torch.equal(found['pos_embed'], expected['pos_embed'])


def test_what_no_tensor_shows_is_taken_from_the_file(tmp_path):
    weights = backbone('starnet_s3').state_dict()
    path = save(
        tmp_path / 'a.pth',
        weights,
        backbone=dict(model_name='starnet_s3', last_stride=1))
    start = starting_weights(path, 'student', 'starnet_s3')
    assert start.pop('last_stride') == 1 and list(start) == ['init_cfg']


def test_heads_of_the_file(vit, tmp_path):
    path = save(
        tmp_path / 'a.pth',
        vit.state_dict(),
        backbone=dict(num_heads=3, last_block_heads=12))
    start = starting_weights(path, 'student', 'vit_tiny')
    assert start['last_block_heads'] == 12 and 'num_heads' not in start


@pytest.mark.parametrize('change, words', [
    (lambda w: w.pop('layers.3.attn.qkv.weight'), 'layers.3.attn.qkv.weight'),
    (lambda w: w.update({'ln1.weight': torch.ones(7)}), 'ln1.weight (7,)'),
    (lambda w: w.clear(), 'no tensor matches'),
])
def test_what_does_not_fit_is_named(change, words, vit, tmp_path):
    weights = dict(vit.state_dict())
    change(weights)
    path = save(tmp_path / 'a.pth', weights, a=1)
    with pytest.raises(ValueError) as error:
        starting_weights(path, 'student', 'vit_tiny')
    assert '--init cannot start a vit_tiny: ' in str(error.value)
    assert words in str(error.value) and path in str(error.value)


def test_another_backbone_is_refused(vit, tmp_path):
    path = save(
        tmp_path / 'a.pth', vit.state_dict(), backbone=dict(num_heads=3))
    with pytest.raises(ValueError, match='cannot start a starnet_s3'):
        starting_weights(path, 'student', 'starnet_s3')


def test_no_expert_and_no_such_part(vit, tmp_path):
    path = save(tmp_path / 'a.pth', vit.state_dict())
    with pytest.raises(ValueError, match='has no expert'):
        starting_weights(path, 'expert', 'vit_tiny')
    with pytest.raises(ValueError, match='one of student, expert'):
        starting_weights(path, 'teacher', 'vit_tiny')


def test_a_missing_file_and_a_broken_one(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pth does not exist'):
        starting_weights(str(tmp_path / 'none.pth'), 'student', 'vit_tiny')
    broken = tmp_path / 'broken.pth'
    broken.write_bytes(b'PK\x03\x04 cut short')
    with pytest.raises(ValueError, match='broken.pth cannot be read'):
        starting_weights(str(broken), 'student', 'vit_tiny')


def test_places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine').write_bytes(b'')
    assert weights_place('mine') == str(tmp_path / 'mine')
    assert weights_place('epoch_1.pth') == str(tmp_path / 'epoch_1.pth')
    assert weights_place('a/b') == str(tmp_path / 'a' / 'b')
    assert weights_place('a_name') == 'saip://a_name'
    for url in ('saip://a_name', 'https://host/a.pth', 's3://b/a.pth'):
        assert weights_place(url) == url
