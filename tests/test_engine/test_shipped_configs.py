import os
import os.path as osp

import pytest
from mmengine.config import Config

from saip_mm.engine.shipped_configs import config_path, register_prefix
from saip_mm.weights import shipped


def test_a_config_anywhere_inherits_a_shipped_one(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text("_base_ = 'saip_mm::saip/vit_tiny.py'\n"
                    'train_cfg = dict(max_epochs=7)\n'
                    'train_pipeline = _base_.train_pipeline[:1]\n')
    cfg = Config.fromfile(path)
    shipped = Config.fromfile(config_path('saip/vit_tiny.py'))
    assert cfg.model == shipped.model
    assert cfg.train_cfg == dict(type='EpochBasedTrainLoop', max_epochs=7)
    assert cfg.train_pipeline == shipped.train_pipeline[:1]
    # its classes are mmpretrain's, not those of a registry of this package
    assert '_scope_' not in cfg.model
    assert '_scope_' not in str(cfg.train_pipeline).replace(
        "'_scope_': None", '')


def test_several_bases(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text("_base_ = ['saip_mm::_base_/backbones/starnet_s3.py',\n"
                    "          'saip_mm::_base_/default_runtime.py']\n")
    cfg = Config.fromfile(path)
    assert cfg.backbone.model_name == 'starnet_s3'
    assert cfg.default_scope == 'mmpretrain'


def test_a_program_that_does_not_know_the_prefix(tmp_path):
    """As docs/start.md has it: mmengine evaluates the line."""
    path = tmp_path / 'mine.py'
    path.write_text("_base_ = __import__('saip_mm').engine.config_path("
                    "'saip/vit_tiny.py')\n")
    assert Config.fromfile(path).model.type == 'SAIP'


def test_an_installed_copy_goes_before_a_clone(tmp_path, monkeypatch):
    places = [str(tmp_path / name) for name in ('installed', 'clone')]
    for place in places:
        folder = tmp_path / place / 'configs' / 'saip'
        folder.mkdir(parents=True)
        (folder / 'a.py').write_text('')
    monkeypatch.setattr(shipped, 'PLACES', tuple(places))
    first, second = (
        osp.join(place, 'configs', 'saip', 'a.py') for place in places)
    assert config_path('saip/a.py') == first
    os.remove(first)
    assert config_path('saip_mm::saip/a.py') == second


def test_unknown_names_are_told(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text("_base_ = 'saip_mm::saip/vit_large.py'\n")
    with pytest.raises(FileNotFoundError, match="'saip/vit_large.py': names"):
        Config.fromfile(path)


def test_other_prefixes_are_left_to_mmengine(tmp_path):
    register_prefix()  # a second time changes nothing
    path = tmp_path / 'mine.py'
    path.write_text("_base_ = 'nobody::saip/vit_tiny.py'\n")
    with pytest.raises(AssertionError, match='nobody config'):
        Config.fromfile(path)
