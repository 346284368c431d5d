"""Files as others publish them, in our backbones.

Their layouts are written down here once more: timm's models, DeiT's nest,
and Microsoft's names, which are mmpretrain's TinyViT under the inverse of
the key map that comes with mmpretrain.
"""
import re

import pytest
import timm
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from mmpretrain.models import TinyViT
from mmpretrain.registry import MODELS
from saip_mm.weights import zoo
from saip_mm.weights.model_index import ModelRow
from saip_mm.weights.third_party import convert_third_party

TIMM = dict(
    vit_tiny='deit_tiny_patch16_224',
    starnet_s3='starnet_s3',
    tinyvit_5m='tiny_vit_5m_224')
NESTS = dict(vit_tiny='model', starnet_s3='state_dict', tinyvit_5m='model')
OURS = dict(
    vit_tiny=dict(
        type='GridVisionTransformer',
        arch='deit-tiny',
        img_size=224,
        patch_size=16,
        out_type='featmap'),
    starnet_s3=dict(type='StrideMapBackbone', model_name='starnet_s3'),
    tinyvit_5m=dict(type='StrideMapBackbone', model_name='tiny_vit_5m_224'))


@pytest.fixture(scope='module')
def classifiers():
    """timm's, with statistics of BatchNorm that are not 0 and 1."""
    torch.manual_seed(0)
    made = {}
    for backbone, name in TIMM.items():
        made[backbone] = timm.create_model(name, num_classes=1000).eval()
        for buffer in made[backbone].buffers():
            if buffer.is_floating_point():
                buffer.uniform_(0.5, 1.5)
    return made


def official(backbone, classifier):
    """The file that its authors publish."""
    return {NESTS[backbone]: dict(classifier.state_dict()), 'epoch': 299}


@pytest.mark.parametrize('nested', [True, False])
@pytest.mark.parametrize('backbone', TIMM)
def test_features_are_the_originals(classifiers, backbone, nested):
    file = official(backbone, classifiers[backbone])
    if not nested:
        file = file[NESTS[backbone]]
    converted = convert_third_party(file, backbone, 'a.pth')
    ours = MODELS.build(OURS[backbone])
    ours.eval()
    missing, unexpected = ours.load_state_dict(
        converted['state_dict'], strict=False)
    assert not unexpected and set(missing) <= {'pos_grid'}
    images = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        wanted = classifiers[backbone].forward_features(images)
        found = ours(images)[-1]
        if backbone == 'vit_tiny':
            found = found.flatten(2).transpose(1, 2)
            wanted = wanted[:, 1:]
        elif backbone == 'starnet_s3':  # the norm is of the classifier
            wanted = classifiers[backbone].stages(
                classifiers[backbone].stem(images))
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    assert converted['meta']['input']['mean'][0] == 123.675
    if backbone == 'vit_tiny':
        assert converted['meta']['position_grid'] == [14, 14]


def test_microsofts_tinyvit_is_mmpretrains():
    torch.manual_seed(0)
    reference = TinyViT(
        arch='5m', drop_path_rate=0., gap_before_final_norm=False)
    reference.eval()
    renamed = {}
    for key, value in reference.state_dict().items():
        for ours, theirs in ((r'conv2d\.', 'c.'), (r'bn2d\.', 'bn.'),
                             (r'^stages\.', 'layers.'), (r'^norm3\.',
                                                         'norm_head.')):
            key = re.sub(ours, theirs, key)
        renamed[key] = value
    renamed['layers.1.blocks.0.attn.attention_bias_idxs'] = torch.zeros(
        49, 49).long()
    renamed.update({
        'head.weight': torch.zeros(1000, 320),
        'head.bias': torch.zeros(1000)
    })
    converted = convert_third_party(dict(model=renamed), 'tinyvit_5m', 'a.pth')
    ours = MODELS.build(OURS['tinyvit_5m'])
    ours.load_state_dict(converted['state_dict'])
    ours.eval()
    images = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        wanted = reference(images)[-1]  # behind the norm
        found = ours(images)[-1]
        found = reference.norm3(found.permute(0, 2, 3, 1))
    wanted = wanted.flatten(2).transpose(1, 2).reshape(found.shape)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('backbone', TIMM)
def test_dropped_strange_and_cut_keys_are_named(classifiers, backbone):
    weights = dict(classifiers[backbone].state_dict())
    names = [key for key, value in weights.items() if value.ndim > 1]
    key = next(k for k in names if '.1.' in k and 'head' not in k)
    less = {k: v for k, v in weights.items() if k != key}
    told = foreign_or_own(key)
    for change, words in ((less, f'missing.*{told}|{told} is missing'), ({
            **weights, 'extra.weight':
            weights[key]
    }, "unexpected: extra.weight|'extra.weight' has no"), ({
            **weights, key:
            weights[key][:-1]
    }, 'shape')):
        with pytest.raises(
                ValueError, match=f'a.pth is no {backbone}: .*({words})'):
            convert_third_party(change, backbone, 'a.pth')


def foreign_or_own(key):
    """A pattern of a tensor's name, mmpretrain's for a plain transformer."""
    key = re.sub(r'^blocks\.', '(blocks|layers).', key)
    return re.sub(r'\.norm(\d)', r'.(norm|ln)\1', key)


def test_another_model_is_refused(classifiers):
    star = classifiers['starnet_s3'].state_dict()
    for backbone in ('vit_tiny', 'tinyvit_5m'):
        with pytest.raises(
                ValueError,
                match=f"a.pth is no {backbone} as .*'starnet_s3'.* convert"):
            convert_third_party(star, backbone, 'a.pth')
    small = timm.create_model('deit_small_patch16_224', depth=2).state_dict()
    with pytest.raises(ValueError, match="'embed_dims': 384, 'num_layers': 2"):
        convert_third_party(small, 'vit_tiny', 'a.pth')
    with pytest.raises(ValueError, match="backbone 'resnet' is unknown"):
        convert_third_party(star, 'resnet', 'a.pth')
    # no classifier: the norm is the last map's, as the authors have it
    headless = {k: v for k, v in star.items() if not k.startswith('head.')}
    with pytest.raises(ValueError, match="'last_norm': True"):
        convert_third_party(headless, 'starnet_s3', 'a.pth')


@pytest.mark.parametrize('backbone', TIMM)
def test_by_name_in_an_init_cfg(classifiers, backbone, monkeypatch, tmp_path):
    """At another size than ImageNet's too."""
    path = tmp_path / 'a.pth'
    torch.save(official(backbone, classifiers[backbone]), path)
    row = ModelRow('a', None, str(path), backbone=backbone)
    monkeypatch.setattr(zoo, 'shipped_models', lambda: {'a': row})
    monkeypatch.setenv('SAIP_MM_CACHE', str(tmp_path / 'cache'))
    monkeypatch.delenv('SAIP_MM_ZOO', raising=False)
    ours = dict(OURS[backbone])
    if backbone == 'vit_tiny':
        ours['img_size'] = (256, 128)
    model = MODELS.build(
        dict(ours, init_cfg=dict(type='Pretrained', checkpoint='saip://a')))
    model.init_weights()
    loaded = CheckpointLoader.load_checkpoint('saip://a')['state_dict']
    state = model.state_dict()
    for key, value in loaded.items():
        if key == 'pos_embed':
            assert state[key].shape == (1, 129, 192)
            torch.testing.assert_close(state[key][:, 0], value[:, 0])
        else:
            torch.testing.assert_close(state[key], value, rtol=0, atol=0)
