"""saip-mm pretrain --expert"""
import pytest
import torch
from mmengine.config import Config

from mmpretrain.registry import MODELS
from saip_mm.apis.start_config import check_same, write_config
from saip_mm.apis.start_expert import expert_place, expert_settings
from saip_mm.apis.start_plan import Machine
from ..expert_files import save_path_file
from ..test_datasets._images import write_tree

CPU = Machine(0, 0., 2, True)


@pytest.fixture
def persons(tmp_path):
    names = [f'{i}.png' for i in range(60)]
    return write_tree(tmp_path / 'persons', names, height=64, width=32)


def test_what_an_expert_may_be(tmp_path):
    file = tmp_path / 'path.pth'
    assert expert_settings(str(file)) == dict(
        type='FrozenExpert', checkpoint=str(file))
    name = 'vit_small_patch14_dinov2.lvd142m'
    assert expert_settings(name)['encoder'] == dict(
        type='TimmEncoder', model_name=name, pretrained=True)
    assert expert_settings(str(tmp_path))['encoder'] == dict(
        type='TimmEncoder', model_name=str(tmp_path))
    assert expert_settings('saip_x')['checkpoint'] == 'saip://saip_x'
    assert expert_place('https://a.b/c.pth') == 'https://a.b/c.pth'


@pytest.mark.parametrize('backbone', ['vit_tiny', 'starnet_s3'])
def test_a_config_with_an_expert_trains(tmp_path, persons, backbone):
    file = save_path_file(tmp_path / 'path.pth')
    path = write_config(
        persons,
        str(tmp_path / 'out'),
        backbone,
        expert=file,
        machine=CPU,
        quiet=True)
    cfg = Config.fromfile(path)
    assert cfg.model.expert == dict(type='FrozenExpert', checkpoint=file)
    assert cfg.custom_hooks == []
    model = MODELS.build(cfg.model)
    head = model.heads['csm']
    assert head.aligns and head.expert_temperature == 0.6
    assert set(model.heads) == {'csm', 'csr', 'css'}
    check_same(path, dict(expert=file, backbone=backbone))
    with pytest.raises(ValueError, match='has expert .*path.pth'):
        check_same(path, dict(expert=str(tmp_path / 'other.pth')))


@pytest.mark.parametrize('name', ['init', 'expert'])
def test_an_empty_name_is_refused(tmp_path, persons, name):
    out = tmp_path / 'out'
    with pytest.raises(ValueError, match=f"{name} '': .*leave out --{name}"):
        write_config(persons, str(out), machine=CPU, **{name: ''})
    assert not out.exists()


def test_what_does_not_fit_is_told_before_anything_is_written(
        tmp_path, persons):
    out = tmp_path / 'out'
    file = str(tmp_path / 'not.pth')
    torch.save(dict(a=torch.ones(2)), file)
    for wrong, kind, error in (
        (dict(expert=file), ValueError, 'not.pth cannot be an expert'),
        (dict(expert=str(tmp_path / 'no.pth')), FileNotFoundError, 'no.pth'),
        (dict(expert=file, matching='batch'), ValueError,
         '--matching batch is for an average'),
    ):
        with pytest.raises(kind, match=error):
            write_config(persons, str(out), machine=CPU, quiet=True, **wrong)
    assert not out.exists()
