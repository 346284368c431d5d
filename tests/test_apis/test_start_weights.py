"""Continuing from files: whole backbones only, and as they were trained."""
import hashlib
from collections import OrderedDict

import pytest
import torch
from mmengine.config import Config

from mmpretrain.registry import MODELS
from saip_mm.apis.start_weights import starting_weights, weights_place
from saip_mm.engine import config_path
from saip_mm.weights import convert_backbone
from saip_mm.weights.release import publish_release
from ..test_weights import layouts

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


def loaded(start, folder, name='vit_tiny'):
    """What a backbone holds that starts so."""
    settings = dict(start.settings)
    if start.copy is not None:
        torch.save(start.copy, folder / 'init.pth')
        path = settings['init_cfg']['checkpoint']
        settings['init_cfg'] = dict(
            type='Pretrained',
            checkpoint=path.replace('{{ fileDirname }}', str(folder)))
    return backbone(name, **settings).state_dict()


def test_a_published_backbone(vit, tmp_path):
    path = save(tmp_path / 'a.pth', vit.state_dict())
    start = starting_weights(path, None, 'vit_tiny')
    assert start == (dict(init_cfg=dict(type='Pretrained', checkpoint=path)),
                     path, None)
    for key, value in loaded(start, tmp_path).items():
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
    for which, expected in ((None, weights), ('student', weights), ('expert',
                                                                    shifted)):
        found = loaded(starting_weights(path, which, 'vit_tiny'), tmp_path)
        assert torch.equal(found['cls_token'], expected['cls_token'])
        assert torch.equal(found['pos_embed'], expected['pos_embed'])


# those of other projects that are of a backbone here, and of which
OTHERS = {
    'SAIP release': 'vit_tiny',
    'SAIP release, teacher alone': 'vit_tiny',
    'authors, downstream ViT': 'vit_tiny',
    'DINO': 'vit_tiny',
    'SOLIDER ViT': 'vit_tiny',
    'MAE': 'vit_tiny',
    'HAP': 'vit_tiny',
    'timm ViT': 'vit_tiny',
    'StarNet official': 'starnet_s3',
    'StarNet authors': 'starnet_s3',
    'TinyViT timm': 'tinyvit_5m',
    'TinyViT official': 'tinyvit_5m',
    'TinyViT authors': 'tinyvit_5m'
}


@pytest.mark.parametrize('layout', OTHERS)
def test_every_layout_that_convert_knows(layout, tmp_path):
    content, which, model = layouts.files()[layout]
    path = str(tmp_path / 'theirs.pth')
    torch.save(content, path)
    start = starting_weights(path, None, OTHERS[layout])
    assert start.place == path and start.copy['meta']['origin'][
        'which'] == which
    for key in ('last_stride', 'last_norm', 'neck_channels'):
        assert start.settings.get(key) == model.get(key), key
    found = loaded(start, tmp_path, OTHERS[layout])
    expected = convert_backbone(content).weights
    assert set(found) - {'pos_grid'} == set(expected)
    for key, value in expected.items():
        if key != 'pos_embed':  # resized
            assert torch.equal(found[key], value), key


def test_safetensors_and_folders_for_timm(tmp_path):
    module = backbone('starnet_s3', last_stride=1)
    path = save(
        tmp_path / 'a.pth', module.state_dict(), backbone=module.options)
    release = publish_release(path, str(tmp_path / 'out'))
    safe, folder = release.files[1:3]
    for file in (safe, f'{folder}/model.safetensors'):
        start = starting_weights(file, None, 'starnet_s3')
        assert start.settings['last_stride'] == 1
        assert (start.copy is None) is (file == safe)
        found = loaded(start, tmp_path, 'starnet_s3')
        for key, value in module.state_dict().items():
            assert torch.equal(found[key], value), key


def test_a_name_of_the_zoo(vit, tmp_path, monkeypatch):
    path = save(tmp_path / 'mine_20261128-00000000.pth', vit.state_dict())
    digest = hashlib.sha256((tmp_path / path).read_bytes()).hexdigest()[:8]
    (tmp_path / path).rename(tmp_path / f'mine_20261128-{digest}.pth')
    monkeypatch.setenv('SAIP_MM_ZOO', str(tmp_path))
    start = starting_weights('mine', None, 'vit_tiny')
    assert start.place == 'saip://mine' and start.copy is None
    assert torch.equal(
        loaded(start, tmp_path)['cls_token'],
        vit.state_dict()['cls_token'])


@pytest.mark.parametrize('said', [1, 2])
def test_what_no_tensor_shows_is_taken_from_the_file(said, tmp_path):
    module = backbone('starnet_s3')
    path = save(
        tmp_path / 'a.pth',
        module.state_dict(),
        backbone=dict(model_name='starnet_s3', last_stride=said))
    start = starting_weights(path, None, 'starnet_s3').settings
    assert start.pop('init_cfg')['checkpoint'] == path
    own = module.options['last_stride']
    assert start == ({} if said == own else dict(last_stride=said))


def test_heads_of_the_file(vit, tmp_path):
    path = save(
        tmp_path / 'a.pth',
        vit.state_dict(),
        backbone=dict(num_heads=3, last_block_heads=12))
    start = starting_weights(path, None, 'vit_tiny').settings
    assert start['last_block_heads'] == 12 and 'num_heads' not in start


@pytest.mark.parametrize('change, words', [
    (lambda w: w.pop('layers.3.attn.qkv.weight'), 'layers.3.attn.qkv.weight'),
    (lambda w: w.pop('cls_token'), 'patch positions'),
    (lambda w: w.pop('ln1.bias'), 'missing: ln1.bias'),
    (lambda w: w.update({'ln1.weight': torch.ones(7)}), 'ln1.weight (7,)'),
    (lambda w: w.update({'neck.a': torch.ones(7)}), 'unexpected: neck.a'),
    (lambda w: w.clear(), 'no known layout'),
])
def test_what_does_not_fit_is_named(change, words, vit, tmp_path):
    weights = dict(vit.state_dict())
    del weights['pos_grid']
    change(weights)
    path = save(tmp_path / 'a.pth', weights, a=1)
    with pytest.raises(ValueError) as error:
        starting_weights(path, None, 'vit_tiny')
    assert '--init cannot start a vit_tiny: ' in str(error.value)
    assert words in str(error.value) and path in str(error.value)


def test_another_backbone_is_refused(vit, tmp_path):
    path = save(
        tmp_path / 'a.pth', vit.state_dict(), backbone=dict(num_heads=3))
    with pytest.raises(
            ValueError,
            match='cannot start a starnet_s3: .*a.pth holds a '
            'GridVisionTransformer .saip_mm.*--backbone'):
        starting_weights(path, None, 'starnet_s3')
    torch.save(layouts.files()['SOLIDER Swin'][0], path)
    with pytest.raises(ValueError, match='a vit_tiny: .*a SwinTransformer'):
        starting_weights(path, None, 'vit_tiny')
    torch.save(layouts.files()['PATH'][0], path)  # another width
    with pytest.raises(
            ValueError,
            match=r'another shape: cls_token .1, 1, 768. for .1, 1, 192'):
        starting_weights(path, None, 'vit_tiny')


def test_no_expert_and_no_such_part(vit, tmp_path):
    path = save(tmp_path / 'a.pth', vit.state_dict())
    with pytest.raises(ValueError, match="a.pth: .*no 'expert' beside"):
        starting_weights(path, 'expert', 'vit_tiny')
    with pytest.raises(ValueError, match="or 'expert', got 'both'"):
        starting_weights(path, 'both', 'vit_tiny')


def test_a_missing_file_and_a_broken_one(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pth does not exist'):
        starting_weights(str(tmp_path / 'none.pth'), None, 'vit_tiny')
    broken = tmp_path / 'broken.pth'
    broken.write_bytes(b'PK\x03\x04 cut short')
    with pytest.raises(ValueError, match='broken.pth cannot be read'):
        starting_weights(str(broken), None, 'vit_tiny')


def test_places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine').write_bytes(b'')
    assert weights_place('mine') == str(tmp_path / 'mine')
    assert weights_place('epoch_1.pth') == str(tmp_path / 'epoch_1.pth')
    assert weights_place('a/b') == str(tmp_path / 'a' / 'b')
    assert weights_place('a_name') == 'saip://a_name'
    for url in ('saip://a_name', 'https://host/a.pth', 's3://b/a.pth'):
        assert weights_place(url) == url
