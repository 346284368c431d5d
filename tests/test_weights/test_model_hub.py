"""Our models among mmpretrain's."""
import pytest
import torch
from mmengine.config import Config

import mmpretrain
from mmpretrain.apis import ModelHub
from saip_mm.weights import zoo
from saip_mm.weights.model_hub import in_whole_model, register_models
from saip_mm.weights.model_index import ModelRow, shipped_models

SAIP = 'saip_vit-tiny_8xb256-amp-coslr-300e_lup1m'
MAE = 'mae_vit-tiny_8xb256-amp-coslr-300e_lup1m'  # the smallest to build
OTHERS = dict(
    vit_tiny='vit-tiny_3rdparty-deit_in1k',
    starnet_s3='starnet-s3_3rdparty-official_in1k',
    tinyvit_5m='tinyvit-5m_3rdparty-official_in1k')


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    (tmp_path / 'zoo').mkdir()
    monkeypatch.setenv('SAIP_MM_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setenv('SAIP_MM_ZOO', str(tmp_path / 'zoo'))


def test_names_are_listed():
    listed = mmpretrain.list_models('*saip*')
    ours = [name for name in shipped_models() if 'saip' in name]
    assert set(ours) <= set(listed) and SAIP in listed
    assert set(OTHERS.values()) <= set(mmpretrain.list_models())
    assert len(mmpretrain.list_models('resnet50*in1k')) > 3  # its own stay
    register_models()  # again: nothing happens
    assert mmpretrain.list_models('*saip*') == listed


def test_weights_go_through_the_zoo():
    for name, row in shipped_models().items():
        entry = ModelHub._models_dict[name]
        assert entry.weights == f'saip://{name}#model'
        assert entry.config == row.config


def test_a_model_without_weights():
    with pytest.raises(zoo.NotPublishedError, match='Train it: python'):
        mmpretrain.get_model(MAE, pretrained=True)


def put_backbone(tmp_path, name, backbone):
    """A published backbone of a base."""
    meta = {}
    state = {
        key: torch.rand_like(value) if value.is_floating_point() else value
        for key, value in backbone.state_dict().items()
    }
    if 'pos_grid' in state:
        meta['position_grid'] = state.pop('pos_grid').tolist()
    path = tmp_path / 'zoo' / f'{name}.pth'
    torch.save(dict(meta=meta, state_dict=state), path)
    (tmp_path / 'zoo' / 'metafile.yml'
     ).write_text(f'Models:\n- {{Name: {name}, Weights: {name}.pth}}\n')
    return state


def test_a_published_backbone_is_placed_in_its_model(tmp_path):
    state = put_backbone(tmp_path, MAE,
                         mmpretrain.get_model(MAE).encoder.backbone)
    model = mmpretrain.get_model(MAE, pretrained=True)
    found = model.encoder.backbone.state_dict()
    for key, value in state.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=0)
    assert model._metainfo.name == MAE


def test_a_whole_model_stays(tmp_path):
    row = shipped_models()[SAIP]
    whole = dict(state_dict={'encoder.backbone.cls_token': torch.ones(1)})
    assert in_whole_model(whole, row) is whole
    with pytest.raises(ValueError, match='a has no config'):
        in_whole_model(whole, ModelRow('a'))


@pytest.mark.parametrize('backbone, width', [('vit_tiny', 192),
                                             ('starnet_s3', 256),
                                             ('tinyvit_5m', 320)])
def test_third_parties_models_give_a_vector(backbone, width):
    model = mmpretrain.get_model(OTHERS[backbone])
    with torch.no_grad():
        vector, = model.extract_feat(torch.rand(1, 3, 256, 128))
    assert vector.shape == (1, width)
    said = shipped_models()[OTHERS[backbone]].fields['Metadata']
    count = sum(p.numel() for p in model.backbone.parameters())
    if backbone == 'vit_tiny':  # the file has 14x14 positions
        count += (14 * 14 - 16 * 8) * 192
    assert count == said['Parameters']


def test_a_third_partys_weights_reach_the_model(tmp_path):
    name = OTHERS['starnet_s3']
    import timm
    whole = timm.create_model('starnet_s3', num_classes=1000)
    torch.save(
        dict(state_dict=dict(whole.state_dict())),
        tmp_path / 'zoo' / 'starnet_s3.pth.tar')
    model = mmpretrain.get_model(name, pretrained=True)
    torch.testing.assert_close(
        model.backbone.timm_model.stages_3[4].f1.conv.weight,
        whole.stages[3][4].f1.conv.weight)


def test_configs_of_third_parties_are_read_without_a_network():
    for name in OTHERS.values():
        config = Config.fromfile(shipped_models()[name].config)
        assert config.model.backbone.init_cfg.checkpoint is None
