"""Every door through which a file of weights comes in.

No door runs code of a file, and none takes a damaged one: each names it.
"""
import runpy
import sys
from functools import lru_cache, partial
from pathlib import Path
from unittest import mock

import pytest
import torch
from mmengine.runner import load_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

import mmpretrain
from mmpretrain.registry import MODELS
from saip_mm.apis import build_model, load_config
from saip_mm.weights import (check_checkpoint, find_resume_file,
                             peek_checkpoint, publish_backbone,
                             read_checkpoint)
from ..test_engine.toy import ToyModel, toy_runner
from ..test_models.tiny_saip import BACKBONES, STARNET, VIT, build, saip_config
from ..web import serving
from .payloads import (DAMAGES, FOREIGN, FORMATS, damage, foreign_code,
                       training_checkpoint)

TOOLS = Path(__file__).parents[2] / 'tools'


def by_init_cfg(backbone, path):
    MODELS.build(
        dict(backbone, init_cfg=dict(type='Pretrained',
                                     checkpoint=str(path)))).init_weights()


def by_http(path):
    # its `set_dir` would outlast the test, and TORCH_HOME
    with serving(path.parent) as web, mock.patch.object(
            torch.hub, '_hub_dir', str(path.parent / 'hub')):
        CheckpointLoader.load_checkpoint(f'{web.address}/{path.name}')


def by_load_from(path, **kwargs):
    toy_runner(
        path.parent / 'work', ['CheckpointFitHook'],
        load_from=str(path),
        **kwargs).train()


def by_auto_resume(path):
    (path.parent / 'last_checkpoint').write_text(str(path))
    find_resume_file('auto', str(path.parent))


def by_tool(name, *arguments):
    argv = sys.argv
    sys.argv = [str(TOOLS / name), *map(str, arguments)]
    try:
        runpy.run_path(sys.argv[0], run_name='__main__')
    finally:
        sys.argv = argv


def by_pretrained_model(path):
    config = dict(type='ImageClassifier', backbone=dict(VIT), head=None)
    mmpretrain.get_model(
        load_config_of(config), pretrained=str(path), device='cpu')


def load_config_of(model):
    from mmengine.config import Config
    return Config(dict(model=model, default_scope='mmpretrain'))


SAIP_DOORS = {
    'read_checkpoint':
    lambda path: read_checkpoint(str(path)),
    'peek_checkpoint':
    lambda path: peek_checkpoint(str(path)),
    'check_checkpoint (test.py)':
    lambda path: check_checkpoint(str(path)),
    '--resume PATH':
    lambda path: find_resume_file(str(path), str(path.parent)),
    '--resume':
    by_auto_resume,
    'CheckpointLoader':
    lambda path: CheckpointLoader.load_checkpoint(str(path)),
    'http':
    by_http,
    'load_checkpoint':
    lambda path: load_checkpoint(build(), str(path)),
    'init_cfg ViT':
    partial(by_init_cfg, VIT),
    'init_cfg StarNet':
    partial(by_init_cfg, STARNET),
    'init_cfg TinyViT':
    partial(by_init_cfg, BACKBONES['tinyvit']),
    'init_cfg SAIP':
    partial(by_init_cfg, saip_config()),
    'init_cfg of a plain mmpretrain backbone':
    partial(by_init_cfg, dict(VIT, type='VisionTransformer')),
    'visualize.py':
    lambda path: build_model(
        load_config(load_config_of(saip_config())), str(path)),
    'publish_backbone':
    lambda path: publish_backbone(str(path), str(path.parent / 'out')),
    'publish_model.py':
    lambda path: by_tool('publish_model.py', path, '--out-dir', path.parent /
                         'out'),
    'vit_to_mmpretrain.py':
    lambda path: by_tool('model_converters/vit_to_mmpretrain.py', path, path.
                         parent / 'out.pth'),
    'mmpretrain.get_model':
    by_pretrained_model,
}
TOY_DOORS = {
    'load_from': by_load_from,
    'resume': partial(by_load_from, resume=True),
}
DOORS = {**SAIP_DOORS, **TOY_DOORS}


@lru_cache
def weights_for(toy):
    return dict((ToyModel() if toy else build()).state_dict())


def file_for(door, tmp_path):
    """A good file for a door, and its path."""
    weights = weights_for(door in TOY_DOORS)
    said = dict(backbone=dict(num_heads=2))  # no tensor shows them
    return training_checkpoint(
        dict(weights), encoder=said), tmp_path / 'epoch_1.pth'


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('code, form', [(code, 'zip') for code in FOREIGN] +
                         [(FOREIGN[0], form)
                          for form in FORMATS if form != 'zip'])
@pytest.mark.parametrize('door', DOORS)
def test_no_door_runs_foreign_code(door, code, form, tmp_path):
    marker = tmp_path / 'ran'
    content, path = file_for(door, tmp_path)
    content['meta']['config'] = foreign_code(marker)[code]
    torch.save(content, path, **FORMATS[form])
    with pytest.raises((ValueError, RuntimeError, SystemExit)) as error:
        DOORS[door](path)
    assert not marker.exists()
    assert 'epoch_1.pth holds objects of' in str(error.value)
    assert 'which could run code' in str(error.value)
    assert 'damaged' not in str(error.value)


@pytest.mark.parametrize('kind', DAMAGES)
@pytest.mark.parametrize('door', DOORS)
def test_no_door_takes_a_damaged_file(door, kind, tmp_path):
    content, path = file_for(door, tmp_path)
    torch.save(content, path)
    damage(path, kind)
    with pytest.raises((ValueError, RuntimeError, SystemExit)) as error:
        DOORS[door](path)
    assert 'epoch_1.pth' in str(error.value)
    assert {
        'not finite': 'holds values that are not finite',
        'text': 'is text that starts with',
        'web page': 'is text that starts with'
    }.get(kind, 'cannot be read') in str(error.value)


@pytest.mark.parametrize('door', [
    d for d in SAIP_DOORS
    if d not in ('vit_to_mmpretrain.py', 'mmpretrain.get_model')
])
def test_a_good_file_passes(door, tmp_path):
    """Otherwise the two tests above would show nothing."""
    content, path = file_for(door, tmp_path)
    if door.startswith('init_cfg'):
        content = own_file(door)
    torch.save(content, path)
    DOORS[door](path)


def own_file(door):
    names = dict(StarNet='starnet', TinyViT='tinyvit', ViT='vit')
    model = build(names.get(door.split()[-1], 'vit'))
    if door.endswith('SAIP'):
        return training_checkpoint(model.state_dict())
    return dict(state_dict=model.encoder.backbone.state_dict())


@pytest.mark.parametrize('door', TOY_DOORS)
def test_a_good_file_of_the_toy_passes(door, tmp_path):
    runner = toy_runner(tmp_path / 'first', epochs=1)
    runner.train()
    runner.save_checkpoint(str(tmp_path), 'epoch_1.pth')
    DOORS[door](tmp_path / 'epoch_1.pth')


def test_a_resume_runs_no_text_of_the_file(tmp_path):
    """mmengine would run what its forerunner saved as the config."""
    runner = toy_runner(tmp_path / 'first', epochs=1)
    runner.train()
    runner.save_checkpoint(str(tmp_path), 'epoch_1.pth')
    path, marker = tmp_path / 'epoch_1.pth', tmp_path / 'ran'
    content = read_checkpoint(str(path))
    content['meta']['config'] = f'open({str(marker)!r}, "w").close()'
    torch.save(content, path)
    by_load_from(path, resume=True)
    assert not marker.exists()
