from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmpretrain.registry import MODELS
from saip_mm.apis.edge import source
from saip_mm.apis.edge.source import load_source
from saip_mm.weights import publish_backbone, zoo
from ...test_models.tiny_saip import BACKBONES, STARNET, VIT, build
from .tiny import tiny_config


@pytest.mark.parametrize('name, wanted', [
    ('configs/pose/coco/vit_tiny.py', 'pose_coco_vit_tiny'),
    ('configs/_base_/backbones/vit_tiny.py', 'vit_tiny'),
    ('/mnt/configs/old/configs/pose/mine.py', 'pose_mine'),
    ('runs/epoch_3.pth', 'epoch_3'),
    ('work_dirs/reid/own/vit/epoch_3.pth', 'reid_own_vit_epoch_3'),
])
def test_names(name, wanted):
    assert source._name(name, Config()) == wanted


def config_of(folder, **settings):
    path = folder / 'mine.py'
    path.write_text('\n'.join(f'{k} = {v!r}' for k, v in settings.items()))
    return str(path)


def test_a_backbone_s_config(tmp_path):
    config = config_of(tmp_path, backbone=dict(VIT, out_type='featmap'))
    found = load_source(config, size=[64, 32])
    assert type(found.model).__name__ == 'GridVisionTransformer'
    assert found.size == (64, 32) and found.name == 'mine'
    assert found.origin == dict(
        config='mine.py', weights='random', weights_sha256=None)
    assert found.mean == pytest.approx((123.675, 116.28, 103.53))
    assert load_source(config).size == (64, 32), 'that of its positions'
    config = config_of(tmp_path, backbone=STARNET)
    assert load_source(config).size == (256, 128)


@pytest.mark.parametrize('name', BACKBONES)
def test_a_published_backbone_says_what_it_is(name, tmp_path):
    model = build(name)
    meta = dict(
        encoder=dict(
            mean=[1., 2., 3.],
            std=[4., 5., 6.],
            backbone=model.encoder.backbone.options))
    torch.save(
        dict(state_dict=model.state_dict(), meta=meta), tmp_path / 'a.pth')
    file = publish_backbone(str(tmp_path / 'a.pth'), str(tmp_path), name='b')
    found = load_source(file.path)
    own = model.encoder.backbone.state_dict()
    for key, value in found.model.state_dict().items():
        assert value.equal(own[key]), key
    assert found.mean == (1., 2., 3.) and found.std == (4., 5., 6.)
    assert found.origin['weights_sha256'] == file.sha256
    assert found.origin['weights'] == Path(file.path).name


def test_a_file_that_says_nothing_is_refused(tmp_path):
    torch.save(dict(state_dict=dict(a=torch.ones(1))), tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='a.pth: no known layout'):
        load_source(str(tmp_path / 'a.pth'))
    with pytest.raises(ValueError, match='itself taken for a file of weights'):
        load_source(str(tmp_path / 'a.pth'), checkpoint='b.pth')
    with pytest.raises(ValueError, match='has no config in it'):
        load_source(str(tmp_path / 'a.pth'), options=dict(a=1))


def checkpoint_of(config, folder, **meta):
    model = MODELS.build(config.model)
    path = str(folder / 'epoch_1.pth')
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return model, path


def test_a_checkpoint_has_its_config(tmp_path):
    cfg = tiny_config('attributes', tmp_path)
    names = [f'a{n}' for n in range(26)]
    model, path = checkpoint_of(
        cfg, tmp_path, cfg=cfg.pretty_text, dataset_meta=dict(classes=names))
    found = load_source(path)
    assert type(found.model).__name__ == 'ImageClassifier'
    assert found.size == (64, 32), 'that of the tests'
    assert found.labels == dict(classes=names)
    own = model.state_dict()
    assert all(v.equal(own[k]) for k, v in found.model.state_dict().items())


def test_a_config_of_other_programs_is_not_run(tmp_path):
    cfg = tiny_config('attributes', tmp_path)
    text = cfg.pretty_text.replace("'ImageClassifier'", "'os.system'")
    _, path = checkpoint_of(cfg, tmp_path, cfg=text)
    with pytest.raises(ValueError, match='not of OpenMMLab and is not used'):
        load_source(path)


def test_weights_of_another_model_are_refused(tmp_path):
    cfg = tiny_config('attributes', tmp_path)
    torch.save(dict(state_dict=dict(a=torch.ones(1))), tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='a.pth does not fit'):
        load_source(cfg, str(tmp_path / 'a.pth'))
    with pytest.raises(ValueError, match='neither model nor backbone'):
        load_source(config_of(tmp_path, a=1))


def test_heads_of_a_published_transformer_are_kept(tmp_path):
    model = MODELS.build(dict(VIT, num_heads=1, last_block_heads=4))
    content = dict(
        state_dict=model.state_dict(),
        meta=dict(backbone=model.options, position_grid=[4, 2]))
    torch.save(content, tmp_path / 'a.pth')
    found = load_source(str(tmp_path / 'a.pth'))
    assert found.model.options == model.options
    assert tuple(found.model.patch_resolution) == (4, 2)
    assert found.size == (64, 32), 'that of its positions'


def test_a_pretraining_has_the_size_and_numbers_of_its_crops(vit_file):
    path, model = vit_file
    found = load_source(
        Config(
            dict(
                model=dict(encoder=dict(backbone=VIT)),
                train_dataloader=dict(
                    pipeline=[dict(type='PersonCrops', size=(96, 48))]))),
        path)
    assert found.size == (96, 48)
    assert found.mean == (1., 2., 3.) and found.std == (4., 5., 6.)
    own = model.encoder.backbone.state_dict()
    assert found.model.state_dict()['ln1.weight'].equal(own['ln1.weight'])


def test_a_caller_s_config_stays_as_it_is(tmp_path):
    config = Config(dict(backbone=dict(STARNET)))
    before = config.pretty_text
    load_source(config, options={'backbone.base_dim': 16})
    assert config.pretty_text == before


def test_models_of_the_zoo_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, 'fetch', lambda name: f'/cache/{name}.pth')
    with pytest.raises(
            FileNotFoundError, match='/cache/some_vit.pth does not'):
        load_source('saip://some_vit')
