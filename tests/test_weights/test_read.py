from argparse import Namespace

import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmpretrain.registry import MODELS
from saip_mm.weights import (UnsafeCheckpointError, extract_backbone,
                             load_weights, meta_of, peek_checkpoint,
                             read_checkpoint)
from ..test_models.tiny_saip import VIT, build


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save(
        dict(meta=dict(epoch=3), state_dict=dict(a=torch.randn(4096))), path)
    return path


def test_plain_types_are_read(file):
    assert read_checkpoint(str(file))['state_dict']['a'].shape == (4096, )
    assert meta_of(peek_checkpoint(str(file))) == dict(epoch=3)


def test_missing_file_is_named(tmp_path):
    for read in (read_checkpoint, peek_checkpoint):
        with pytest.raises(FileNotFoundError, match='none.pth does not exist'):
            read(str(tmp_path / 'none.pth'))


def damage(content, kind):
    if kind == 'cut':
        return content[:len(content) // 2]
    if kind == 'flipped bit':  # inside the tensor
        half = len(content) // 2
        return content[:half] + bytes([content[half] ^ 1]) + content[half + 1:]
    return dict(empty=b'', text=b'<html>404</html>')[kind]


@pytest.mark.parametrize('kind', ['cut', 'flipped bit', 'empty', 'text'])
def test_damaged_file_is_named(file, kind):
    file.write_bytes(damage(file.read_bytes(), kind))
    with pytest.raises(ValueError, match='weights.pth cannot be read .*dam'):
        read_checkpoint(str(file))


def test_no_code_is_run(file):
    torch.save(dict(meta=HistoryBuffer()), file)
    with pytest.raises(UnsafeCheckpointError, match='HistoryBuffer'):
        read_checkpoint(str(file))
    # mmengine, which opens an init_cfg's file, does run it
    assert 'meta' in peek_checkpoint(str(file))


def test_harmless_classes_can_be_allowed(file):
    torch.save(dict(args=Namespace(lr=1.)), file)
    with pytest.raises(UnsafeCheckpointError, match='argparse.Namespace'):
        read_checkpoint(str(file))
    assert read_checkpoint(str(file), allow=[Namespace])['args'].lr == 1.


def test_formats_before_zip_are_read(file):
    torch.save(
        dict(meta=dict(epoch=3)), file, _use_new_zipfile_serialization=False)
    assert peek_checkpoint(str(file)) == dict(meta=dict(epoch=3))
    assert read_checkpoint(str(file)) == dict(meta=dict(epoch=3))


def test_a_list_is_no_checkpoint(file):
    torch.save([1, 2], file)
    with pytest.raises(ValueError, match='holds a list'):
        read_checkpoint(str(file))


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
