"""One backbone config and one published file, under every library."""
import importlib
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

import saip_mm.models  # noqa: F401
from mmpretrain.registry import MODELS
from saip_mm.weights import publish_backbone

BASES = Path(__file__).parents[2] / 'configs/_base_/backbones'
LIBRARIES = ('mmpretrain', 'mmpose', 'mmdet', 'mmseg')
# channels by stride, of an input of 96x64
MAPS = dict(
    vit_tiny={16: 192},
    starnet_s3={
        4: 32,
        8: 64,
        16: 128,
        32: 256
    },
    tinyvit_5m={
        4: 64,
        8: 128,
        16: 160,
        32: 320
    })
PARAMETERS = dict(
    vit_tiny=5_511_360, starnet_s3=5_493_280, tinyvit_5m=5_071_124)


@pytest.fixture(scope='module', params=MAPS)
def published(request, tmp_path_factory):
    """Name, config, weights and published file of a full-size backbone."""
    cfg = Config.fromfile(BASES / f'{request.param}.py').backbone
    torch.manual_seed(0)
    backbone = MODELS.build(cfg)
    weights = {
        f'encoder.backbone.{key}': value + 1
        for key, value in backbone.state_dict().items() if key != 'pos_grid'
    }
    if hasattr(backbone, 'pos_grid'):
        weights['encoder.backbone.pos_grid'] = backbone.pos_grid
    folder = tmp_path_factory.mktemp('published')
    path = str(folder / 'epoch_300.pth')
    torch.save(dict(meta={}, state_dict=weights), path)
    file = publish_backbone(path, str(folder), name=request.param)
    return request.param, cfg, weights, file


@pytest.fixture
def complaints(monkeypatch):
    """What mmengine has to say about keys and shapes."""
    heard = []

    def listen(message, *args, **kwargs):
        if 'do not match' in message:
            heard.append(message)

    monkeypatch.setattr('mmengine.runner.checkpoint.print_log', listen)
    return heard


@pytest.mark.parametrize('library', LIBRARIES)
def test_loads_every_key(published, library, complaints):
    pytest.importorskip(library)
    name, cfg, weights, file = published
    models = importlib.import_module(f'{library}.registry').MODELS
    cfg = Config(dict(backbone=cfg)).backbone  # a copy
    cfg.init_cfg.checkpoint = file.path
    with DefaultScope.overwrite_default_scope(library):
        model = models.build(cfg)
        model.init_weights()
    assert complaints == []  # no missing, no unexpected key
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]
    own = model.state_dict()
    assert {f'encoder.backbone.{key}' for key in own} == set(weights)
    for key, value in weights.items():
        assert torch.equal(own[key[len('encoder.backbone.'):]], value), key
    maps = model.eval()(torch.zeros(2, 3, 96, 64))
    assert {
        96 // out.shape[2]: out.shape[1]
        for out in maps
        if out.shape[2:] == (out.shape[2], out.shape[2] * 2 // 3)
    } == MAPS[name]


@pytest.mark.parametrize('library', LIBRARIES)
def test_a_wrong_file_stops_every_library(library, tmp_path):
    pytest.importorskip(library)
    models = importlib.import_module(f'{library}.registry').MODELS
    path = str(tmp_path / 'other.pth')
    torch.save({'conv1.weight': torch.ones(3)}, path)
    for name in MAPS:
        cfg = Config.fromfile(BASES / f'{name}.py').backbone
        cfg.init_cfg.checkpoint = path
        with DefaultScope.overwrite_default_scope(library):
            model = models.build(cfg)
            with pytest.raises(RuntimeError, match="other.*'conv1.weight'"):
                model.init_weights()


@pytest.mark.parametrize('published', ['vit_tiny'], indirect=True)
@pytest.mark.parametrize('grid', [(6, 9), (9, 6), (5, 11)])
def test_plain_transformer_takes_any_grid(published, grid):
    _, cfg, _, file = published
    cfg = Config(dict(backbone=cfg)).backbone
    cfg.init_cfg.checkpoint = file.path
    model = MODELS.build(cfg)
    model.init_weights()
    maps = model.eval()(torch.randn(1, 3, 16 * grid[0], 16 * grid[1]))
    assert [tuple(m.shape) for m in maps] == [(1, 192, *grid)]
    assert maps[0].isfinite().all()
