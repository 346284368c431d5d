import runpy
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import timm
import torch

from mmpretrain.models.backbones import VisionTransformer
from saip_mm.models.backbones import GridVisionTransformer
from saip_mm.weights import convert_vit_keys, select_branch

TOOLS = Path(__file__).parents[2] / 'tools' / 'model_converters'


def release(prefix='module.backbone.', grid=(16, 8)):
    """Random weights in the layout of SAIP's released checkpoints."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return 0.02 * torch.randn(*shape, generator=generator)

    weights = {
        'cls_token': random(1, 1, 192),
        'pos_embed': random(1, 1 + grid[0] * grid[1], 192),
        'patch_embed.proj.weight': random(192, 3, 16, 16),
        'patch_embed.proj.bias': random(192)
    }
    layers = dict(norm1=(192, ), norm2=(192, ))
    layers['attn.qkv'], layers['attn.proj'] = (576, 192), (192, 192)
    layers['mlp.fc1'], layers['mlp.fc2'] = (768, 192), (192, 768)
    for i in range(12):
        for name, shape in layers.items():
            weights[f'blocks.{i}.{name}.weight'] = random(*shape)
            weights[f'blocks.{i}.{name}.bias'] = random(*shape[:1])
    for name in ('norm', 'inter_norm'):
        weights[f'{name}.weight'] = random(192)
        weights[f'{name}.bias'] = random(192)
    weights = {prefix + key: value for key, value in weights.items()}
    if prefix:
        start = prefix[:-len('backbone.')]
        for decoder in ('csm_decoder', 'csr_decoder', 'css_decoder'):
            weights[f'{start}{decoder}.mlp.0.weight'] = random(8, 192)
    return weights


@pytest.mark.parametrize('prefix', ['module.backbone.', 'backbone.', ''])
def test_release_loads_without_a_missing_or_unexpected_key(prefix):
    vit = convert_vit_keys(release(prefix))
    model = VisionTransformer(arch='deit-tiny', img_size=(256, 128))
    model.load_state_dict(vit.backbone)  # strict
    assert vit.grid == (16, 8)
    inner = 'backbone.inter_norm' if prefix else 'inter_norm'
    assert vit.ignored[:2] == [f'{inner}.weight', f'{inner}.bias']
    assert len(vit.ignored) == (5 if prefix else 2)


@torch.no_grad()
def test_forward_equals_timm():
    torch.manual_seed(0)
    theirs = timm.create_model('vit_tiny_patch16_224').eval()
    vit = convert_vit_keys(theirs.state_dict())
    assert vit.grid == (14, 14)
    assert vit.ignored == ['head.weight', 'head.bias']
    ours = GridVisionTransformer(arch='deit-tiny', img_size=224).eval()
    ours.load_state_dict(vit.backbone)
    x = torch.randn(2, 3, 224, 224)
    features = theirs.forward_features(x)
    torch.testing.assert_close(ours(x)[0], features[:, 0])
    inner = theirs.forward_intermediates(
        x, indices=[6], output_fmt='NLC', intermediates_only=True)[0]
    torch.testing.assert_close(ours.forward_tokens(x, 6)[1], inner)


def test_branches():
    a, b = dict(x=torch.ones(1)), dict(x=torch.zeros(1))
    both = dict(student=a, teacher=b, epoch=3, args=Namespace())
    assert select_branch(both, 'student')['x'] == 1
    assert select_branch(both, 'teacher')['x'] == 0
    assert select_branch(dict(teacher=b))['x'] == 0
    assert select_branch(dict(model=a, optimizer={}))['x'] == 1
    assert select_branch(dict(student=dict(state_dict=a)))['x'] == 1
    assert select_branch(a)['x'] == 1
    with pytest.raises(ValueError, match='student and teacher.* choose'):
        select_branch(both)
    with pytest.raises(ValueError, match="no 'teacher'"):
        select_branch(a, 'teacher')


def change(weights, **changes):
    for name, value in changes.items():
        key = f'backbone.{name}'.replace('__', '.')
        if value is None:
            del weights[key]
        else:
            weights[key] = value
    return weights


@pytest.mark.parametrize('changes, error', [
    (dict(blocks__3__norm1__bias=None), 'layers.3.ln1.bias is missing'),
    (dict(norm__weight=None), 'ln1.weight is missing'),
    (dict(pos_embed=None), 'no plain vision transformer'),
    (dict(blocks__5__attn__qkv__weight=torch.ones(192, 192)),
     r'qkv.weight has shape \(192, 192\), expected \(576, 192\)'),
    (dict(blocks__0__ls1__gamma=torch.ones(192)),
     "'backbone.blocks.0.ls1.gamma' has no counterpart"),
    (dict(pos_embed=torch.ones(1, 193, 192)), '16x12 or 24x8.*--grid'),
])
def test_what_does_not_fit_is_named(changes, error):
    with pytest.raises(ValueError, match=error):
        convert_vit_keys(change(release('backbone.'), **changes))


def test_given_grid_settles_the_choice():
    weights = release('backbone.', (16, 12))
    assert convert_vit_keys(weights, (16, 12)).grid == (16, 12)
    with pytest.raises(ValueError, match='193 positions.*16x8'):
        convert_vit_keys(weights, (16, 8))


def test_tool(tmp_path, monkeypatch, capsys):
    source, out = str(tmp_path / 'release.pth'), str(tmp_path / 'out.pth')
    student = release(grid=(16, 12))
    torch.save(
        dict(
            student=student,
            teacher=release('backbone.'),
            args=Namespace(lr=1.)), source)
    tool = str(TOOLS / 'vit_to_mmpretrain.py')
    argv = [tool, source, out, '--branch', 'student', '--grid', '16', '12']
    monkeypatch.setattr(sys, 'argv', argv)
    runpy.run_path(tool, run_name='__main__')
    printed = capsys.readouterr().out
    assert 'left out    backbone.inter_norm.weight' in printed
    assert ', student' in printed
    assert set(torch.load(out, weights_only=True)) == {'meta', 'state_dict'}
    model = GridVisionTransformer(
        arch='deit-tiny',
        img_size=(384, 128),
        init_cfg=dict(type='Pretrained', checkpoint=out))
    model.init_weights()
    assert torch.equal(model.ln1.weight,
                       student['module.backbone.norm.weight'])
    monkeypatch.setattr(sys, 'argv', argv[:3])
    with pytest.raises(SystemExit, match='release.pth: .*16x12 or 24x8'):
        runpy.run_path(tool, run_name='__main__')


@pytest.mark.parametrize('prefix', [
    'base.', 'model.', 'image_encoder.', 'module.image_encoder.trunk.',
    '_orig_mod.backbone.'
])
def test_any_prefix_is_found(prefix):
    weights = {prefix + key: value for key, value in release('').items()}
    weights['text.token'] = torch.ones(2)
    vit = convert_vit_keys(select_branch(dict(model=weights)))
    assert vit.grid == (16, 8) and len(vit.backbone) == 150
    assert 'text.token' in vit.ignored


def test_two_transformers_are_a_choice():
    weights = {
        f'{name}.{key}': value
        for name in ('a', 'b')
        for key, value in release('').items()
    }
    with pytest.raises(ValueError, match="2 transformers, under 'a.', 'b.'"):
        convert_vit_keys(weights)


@pytest.mark.parametrize(
    'name', ['reg_token', 'register_tokens', 'dist_token', 'storage_tokens'])
def test_tokens_that_would_be_lost_are_refused(name):
    """With four registers 4 + 1 + 128 positions look like 12x11 and one."""
    weights = release('', grid=(12, 11))
    weights[name] = torch.ones(1, 4, 192)
    with pytest.raises(ValueError, match=f"'{name}' are tokens that"):
        convert_vit_keys(weights)


def test_without_a_class_token_all_positions_are_patches():
    """128 and 192 patches, the one settled by the token, the other not."""
    weights = release('', (16, 8))
    del weights['cls_token']
    weights['pos_embed'] = weights['pos_embed'][:, 1:]
    vit = convert_vit_keys(weights)
    assert vit.grid == (16, 8) and 'cls_token' not in vit.backbone
    model = VisionTransformer(
        arch='deit-tiny',
        img_size=(256, 128),
        with_cls_token=False,
        out_type='featmap')
    model.load_state_dict(vit.backbone)  # strict
    weights['pos_embed'] = torch.ones(1, 129, 192)
    with pytest.raises(ValueError, match='129 patch positions'):
        convert_vit_keys(weights)
    assert convert_vit_keys(weights, (16, 8)).grid == (16, 8)


@pytest.mark.parametrize('changes, error', [
    (dict(cls_token=torch.ones(1, 2, 192)),
     r'cls_token has shape \(1, 2, 192\), expected \(1, 1, 192\)'),
    (dict(cls_token=torch.ones(1, 1, 64)), r'expected \(1, 1, 192\) beside'),
    (dict(pos_embed=torch.ones(2, 129, 192)), r'expected \(1, 129, 192\)'),
    (dict(patch_embed__proj__bias=torch.ones(191)), r'expected \(192,\)'),
    (dict(patch_embed__proj__weight=torch.ones(96, 3, 16, 16)),
     r'expected \(192, 3, 16, 16\)'),
    (dict(norm__bias=torch.ones(1)), r'ln1.bias has shape \(1,\)'),
    (dict(blocks__11__mlp__fc2__weight=torch.ones(192, 767)),
     r'layers.11.ffn.layers.1.weight has .* expected \(192, 768\)'),
    (dict(blocks__0__mlp__fc1__weight=None), 'no layers.0.ffn.layers.0.0.w'),
    (dict(blocks__7__norm2__weight=None), 'layers.7.ln2.weight is missing'),
])
def test_every_shape_is_told_by_the_others(changes, error):
    with pytest.raises(ValueError, match=error):
        convert_vit_keys(change(release('backbone.'), **changes))


def test_biases_of_query_key_and_value_may_be_absent():
    weights = release('backbone.')
    for i in range(12):
        del weights[f'backbone.blocks.{i}.attn.qkv.bias']
    assert len(convert_vit_keys(weights).backbone) == 150 - 12


def test_what_is_no_plain_transformer_is_named():
    weights = {f'layer{i}.weight': torch.ones(1) for i in range(7)}
    with pytest.raises(
            ValueError,
            match="no 'patch_embed.proj.weight' among "
            ".*'layer4.weight'\\]"):
        convert_vit_keys(weights)
