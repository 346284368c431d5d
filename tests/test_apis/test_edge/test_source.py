from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmpretrain.registry import MODELS
from saip_mm.apis.edge import source
from saip_mm.apis.edge.source import check_size, config_size, load_source
from saip_mm.weights import publish_backbone
from ...test_models.tiny_saip import BACKBONES, VIT, build
from .tiny import CONFIGS, tiny_config

WANTED = {
    'pose/coco/vit_tiny.py': (256, 192),
    'wholebody/coco_wholebody/demo.py': (128, 96),
    'part_seg/lip/vit_tiny.py': (480, 480),
    'part_seg/lip/starnet_s3_authors.py': (576, 384),
    'detection/crowdhuman/vit_tiny.py': (800, 1408),
    'detection/crowdhuman/vit_tiny_crowddet.py': (832, 1408),
    'parsing/cihp/vit_tiny.py': (800, 1344),
    'part_attributes/fashionpedia/vit_tiny.py': (1024, 1024),
    'reid/market1501/vit_tiny.py': (256, 128),
    'text_reid/cuhk_pedes/demo.py': (96, 32),
    'attributes/pa100k/demo.py': (96, 48)
}


@pytest.mark.parametrize('name', WANTED)
def test_size_is_that_of_the_tests(name):
    cfg = Config.fromfile(CONFIGS / name, import_custom_modules=False)
    assert config_size(cfg) == WANTED[name]


@pytest.mark.parametrize('name, wanted', [
    ('configs/pose/coco/vit_tiny.py', 'pose_coco_vit_tiny'),
    ('configs/_base_/backbones/vit_tiny.py', 'vit_tiny'),
    ('runs/epoch_3.pth', 'epoch_3'),
])
def test_names(name, wanted):
    assert source._name(name, Config()) == wanted


def test_a_pretraining_config_says_no_size():
    cfg = Config.fromfile(
        CONFIGS / 'saip/vit_tiny.py', import_custom_modules=False)
    assert config_size(cfg) is None


@pytest.mark.parametrize('size', [(256, ), (0, 128), (256, 128, 3), (1.5, 2)])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match='must be height and width'):
        check_size(size)


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
    assert found.size == config_size(cfg)
    assert found.classes == tuple(names)
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
    path = tmp_path / 'a.pth'
    torch.save(
        dict(state_dict=model.state_dict(), meta=dict(backbone=model.options)),
        path)
    again = load_source(str(path)).model
    assert again.options == model.options
    assert tuple(again.patch_resolution) == (4, 2)
