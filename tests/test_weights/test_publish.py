import hashlib
import os
import re
import runpy
import sys
from pathlib import Path

import pytest
import torch

from mmpretrain.models.backbones import VisionTransformer
from mmpretrain.registry import MODELS
from saip_mm.weights import (convert_backbone, file_sha256, publish_backbone,
                             read_checkpoint)
from ..test_models.tiny_saip import ARCH, BACKBONES, build
from . import layouts

TOOL = str(Path(__file__).parents[2] / 'tools' / 'publish_model.py')


@pytest.fixture
def trained(tmp_path):
    """Save a training checkpoint whose expert is not its student."""

    def save(backbone='vit', name='epoch_2.pth'):
        model = build(backbone)
        with torch.no_grad():
            for parameter in model.expert.parameters():
                parameter.add_(1.)
        meta = dict(
            epoch=2,
            iter=34,
            experiment_name='vit_tiny_20261123_101112',
            encoder=dict(backbone=dict(model.encoder.backbone.options)))
        path = str(tmp_path / name)
        torch.save(
            dict(
                meta=meta,
                state_dict=model.state_dict(),
                optimizer=dict(state={})), path)
        return model, path

    return save


def test_what_is_incomplete_is_not_published(trained, tmp_path):
    content = read_checkpoint(trained()[1])
    del content['state_dict']['encoder.backbone.layers.1.attn.qkv.bias']
    del content['state_dict']['encoder.backbone.layers.1.ln1.bias']
    path = str(tmp_path / 'less.pth')
    torch.save(content, path)
    with pytest.raises(
            ValueError, match='less.pth: .*missing: layers.1.*ln1.bias'):
        publish_backbone(path, str(tmp_path / 'out'))
    assert not (tmp_path / 'out').exists()


def test_others_names_become_ours(tmp_path):
    """Microsoft's TinyViT begins like a transformer of ours."""
    for name, weights in (('vit', layouts.vit()),
                          ('tiny', layouts.tinyvit_official())):
        path = str(tmp_path / f'{name}.pth')
        torch.save(dict(model=weights), path)
        published = read_checkpoint(publish_backbone(path, str(tmp_path)).path)
        found = convert_backbone(dict(model=weights))
        assert list(published['state_dict']) == list(found.weights)
        assert 'layout' in published['meta']['origin']['converted']
        again = convert_backbone(published)
        assert again.model == found.model
        assert again.layout.startswith('saip_mm backbone')


def test_whose_a_file_of_one_is_stays(trained, tmp_path):
    first = publish_backbone(trained()[1], str(tmp_path), 'expert', name='e')
    again = publish_backbone(first.path, str(tmp_path), name='f')
    assert read_checkpoint(again.path)['meta']['origin']['which'] == 'expert'
    with pytest.raises(ValueError, match="the expert alone, no 'student'"):
        publish_backbone(first.path, str(tmp_path), 'student')


@pytest.fixture
def load_by_init_cfg(monkeypatch):
    """Build with init_cfg; return the model and mmengine's complaints."""
    complaints = []

    def listen(message, *args, **kwargs):
        if 'do not match' in message:
            complaints.append(message)

    monkeypatch.setattr('mmengine.runner.checkpoint.print_log', listen)

    def load(cfg, path):
        model = MODELS.build(cfg | dict(
            init_cfg=dict(type='Pretrained', checkpoint=path)))
        model.init_weights()
        return model, complaints

    return load


@pytest.mark.parametrize('which', ['student', 'expert'])
@pytest.mark.parametrize('backbone', BACKBONES)
def test_init_cfg_takes_every_key(trained, tmp_path, load_by_init_cfg,
                                  backbone, which):
    model, path = trained(backbone)
    published = publish_backbone(path, str(tmp_path / 'out'), which)
    loaded, complaints = load_by_init_cfg(BACKBONES[backbone], published.path)
    assert complaints == []
    source = model.encoder if which == 'student' else model.expert.encoder
    for key, value in source.backbone.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key
    count = sum(p.numel() for p in source.backbone.parameters())
    assert published.parameters == count


def test_mmpretrains_own_class_takes_every_key(trained, tmp_path,
                                               load_by_init_cfg):
    model, path = trained()
    published = publish_backbone(path, str(tmp_path))
    weights = read_checkpoint(published.path)['state_dict']
    VisionTransformer(arch=ARCH, img_size=(64, 32)).load_state_dict(weights)
    _, complaints = load_by_init_cfg(
        dict(type='VisionTransformer', arch=ARCH, img_size=(64, 32)),
        published.path)
    assert complaints == []


def test_a_wrong_depth_is_complained_about(trained, tmp_path,
                                           load_by_init_cfg):
    """Else the tests above would prove nothing."""
    published = publish_backbone(trained()[1], str(tmp_path))
    cfg = dict(
        type='VisionTransformer',
        arch=ARCH | dict(num_layers=4),
        img_size=(64, 32))
    assert len(load_by_init_cfg(cfg, published.path)[1]) == 1


@pytest.mark.parametrize('encoder, kept', [
    (dict(mean=[1.], std=[2.]), {'input'}),
    (dict(untrained=['ln1.bias']), {'untrained'}),
    (dict(mean=[1.], untrained=[]), set()),
])
def test_what_the_encoder_expects_and_lacks(trained, tmp_path, encoder, kept):
    content = torch.load(trained()[1], weights_only=True)
    content['meta']['encoder'].update(encoder)
    torch.save(content, tmp_path / 'a.pth')
    path = publish_backbone(str(tmp_path / 'a.pth'), str(tmp_path)).path
    meta = torch.load(path, weights_only=True)['meta']
    assert {'input', 'untrained'} & set(meta) == kept


def test_content_and_origin(trained, tmp_path):
    _, path = trained()
    published = publish_backbone(
        path, str(tmp_path), 'expert', name='saip_vit-tiny', date='20261123')
    content = read_checkpoint(published.path)  # plain types
    assert set(content) == {'meta', 'state_dict'}
    assert 'pos_grid' not in content['state_dict']
    assert content['meta']['position_grid'] == [4, 2]
    origin = content['meta']['origin']
    assert origin.pop('saip_mm_version')
    assert origin == dict(
        config='vit_tiny',
        which='expert',
        epoch=2,
        iter=34,
        source_sha256=file_sha256(path))


def test_name_holds_the_hash_of_the_bytes(trained, tmp_path):
    _, path = trained()
    out = tmp_path / 'out'
    published = publish_backbone(path, str(out), date='20261123')
    digest = hashlib.sha256(Path(published.path).read_bytes()).hexdigest()
    assert published.sha256 == digest
    assert os.listdir(out) == [f'vit_tiny_20261123-{digest[:8]}.pth']
    again = publish_backbone(path, str(out), date='20261123')
    assert again == published  # the same bytes


def test_published_file_is_small(trained, tmp_path):
    _, path = trained()
    published = publish_backbone(path, str(tmp_path))
    assert os.path.getsize(published.path) < 4 * published.parameters + 30000


def test_date_defaults_to_today(trained, tmp_path):
    published = publish_backbone(trained()[1], str(tmp_path))
    assert re.search(r'vit_tiny_20\d{6}-[0-9a-f]{8}\.pth$', published.path)


@pytest.mark.parametrize('kwargs, error', [
    (dict(date='23.11.'), 'yyyymmdd'),
    (dict(name='a/b'), 'without folder'),
    (dict(which='both'), "'student', 'teacher' or 'expert'"),
])
def test_bad_arguments_are_named(trained, tmp_path, kwargs, error):
    with pytest.raises(ValueError, match=error):
        publish_backbone(trained()[1], str(tmp_path), **kwargs)


def test_a_diverged_run_is_not_published(trained, tmp_path):
    model, path = trained()
    content = read_checkpoint(path)
    content['state_dict']['encoder.backbone.cls_token'][0, 0, 0] = torch.nan
    torch.save(content, path)
    with pytest.raises(ValueError, match='backbone.cls_token holds .*finite'):
        publish_backbone(path, str(tmp_path))


def test_tool(trained, tmp_path, monkeypatch, capsys):
    _, path = trained()
    argv = [TOOL, path, '--which', 'expert', '--out-dir', str(tmp_path)]
    monkeypatch.setattr(sys, 'argv', argv + ['--date', '20261123'])
    runpy.run_path(TOOL, run_name='__main__')
    out = capsys.readouterr().out
    name = re.search(r'vit_tiny_20261123-([0-9a-f]{8})\.pth', out)
    assert f'SHA-256     {name[1]}' in out and 'parameters' in out
    monkeypatch.setattr(sys, 'argv', [TOOL, str(tmp_path / 'none.pth')])
    with pytest.raises(SystemExit, match='error: .*none.pth does not exist'):
        runpy.run_path(TOOL, run_name='__main__')
