import pytest
import timm
import torch

from saip_mm.apis.models import load_backbone
from saip_mm.models.sincos import sincos_positions
from saip_mm.weights import convert_backbone, weights_of
from . import layouts
from .layouts import STARNET, TINYVIT, both, files

FILES = files()
ONES = ('SAIP release', 'PATH', 'StarNet authors', 'TinyViT authors',
        'TinyViT timm', 'SOLIDER Swin')  # one a way of converting


@pytest.mark.parametrize('name', FILES)
def test_each_layout_is_recognised(name):
    content, which, expected = FILES[name]
    found = convert_backbone(content)
    assert found.which == which
    assert expected.items() <= found.model.items()


@pytest.mark.parametrize('name', [
    'SAIP release', 'StarNet authors', 'StarNet official', 'TinyViT authors',
    'TinyViT official',
    pytest.param('PATH', marks=pytest.mark.slow),
    pytest.param('SOLIDER Swin', marks=pytest.mark.slow)
])
def test_it_loads_and_nothing_is_left_at_random(name, tmp_path):
    content, which, expected = FILES[name]
    path = str(tmp_path / 'weights.pth')
    torch.save(content, path)
    backbone = load_backbone(path)
    assert not backbone.training and backbone.origin['which'] == which
    assert expected.items() <= backbone.config.items()
    own, weights = backbone.state_dict(), convert_backbone(content).weights
    for key, value in weights.items():
        assert torch.equal(own[key], value), key
    assert not [k for k in own if k not in weights and k != 'pos_grid']


@pytest.mark.parametrize('name', FILES)
def test_nothing_of_the_file_goes_unmentioned(name):
    """Taken and left out are all there is, but index buffers."""
    content, which, _ = FILES[name]
    found = convert_backbone(content)
    weights = weights_of(content if which is None else content[which])
    rest = [k for k in weights if k.endswith('attention_bias_idxs')]
    joined = sum('cls_token_pos_embed' in k for k in weights)
    assert len(found.weights) + len(
        found.left_out) + len(rest) + joined == len(weights)


def test_whose_weights_are_taken():
    content = both(layouts.saip_release(), layouts.saip_release('backbone.'))
    for which, branch, prefix in ((None, 'student', 'module.backbone.'),
                                  ('student', 'student', 'module.backbone.'),
                                  ('expert', 'teacher', 'backbone.'),
                                  ('teacher', 'teacher', 'backbone.')):
        found = convert_backbone(content, which)
        assert found.which == branch
        assert torch.equal(found.weights['ln1.weight'],
                           content[branch][f'{prefix}norm.weight'])


def test_a_choice_that_nothing_settles_is_the_users():
    content = both(layouts.vit(prefix='backbone.'), layouts.vit())
    with pytest.raises(ValueError, match='student and teacher.*--which'):
        convert_backbone(content)
    assert convert_backbone(content, 'teacher').which == 'teacher'
    with pytest.raises(ValueError, match="one network, no 'teacher'"):
        convert_backbone(layouts.vit(), 'teacher')
    with pytest.raises(ValueError, match="no 'student', only teacher"):
        convert_backbone(dict(teacher=layouts.vit()), 'student')
    with pytest.raises(ValueError, match="got 'both'"):
        convert_backbone(content, 'both')


def test_branches_in_the_names():
    content = dict(
        state_dict={
            **layouts.put('student.', layouts.saip_release()),
            **layouts.put('teacher.', layouts.saip_release('backbone.'))
        })
    assert convert_backbone(content).which == 'student'


def taken_of(name):
    """Weights of a file, and its names of those that are taken."""
    content, which, _ = FILES[name]
    weights = dict(weights_of(content if which is None else content[which]))
    keys = list(convert_backbone(weights).left_out)
    taken = [
        k for k in weights
        if k not in keys and not k.endswith(('num_batches_tracked',
                                             'attention_bias_idxs'))
    ]
    return weights, taken


@pytest.mark.parametrize('name', ONES)
def test_a_dropped_or_renamed_key_fails_by_name(name):
    """Each thirtieth key; by the file's name of it, whatever it is."""
    weights, taken = taken_of(name)
    # without a class token, or the bias of query, key and value, another
    # transformer is meant; a table that then fits none is refused all the same
    free = ('qkv.bias', 'cls_token_pos_embed')
    taken = [k for k in taken if not k.endswith(free) or 'stages' in k]
    for key in taken[::30] + taken[-1:]:
        less = {k: v for k, v in weights.items() if k != key}
        short = key.split('backbone.')[-1].split('backbone_module.')[-1]
        tail = short.split('.')[-1]
        with pytest.raises(ValueError) as error:
            convert_backbone(less)
        message = str(error.value)
        assert short in message or 'patch positions' in message, message
        renamed = {
            (f'{k[:-len(tail)]}x{tail}' if k == key else k): v
            for k, v in weights.items()
        }
        with pytest.raises(ValueError) as error:
            convert_backbone(renamed)
        assert f'{short[:-len(tail)]}x{tail}' in str(error.value) or \
            short in str(error.value), key


@pytest.mark.parametrize('name', ONES)
def test_a_left_over_or_misshapen_key_fails_by_name(name):
    weights, taken = taken_of(name)
    prefix = taken[0][:len(taken[0]) - len(taken[0].split('backbone.')[-1].
                                           split('backbone_module.')[-1])]
    with pytest.raises(ValueError, match='stray.weight'):
        convert_backbone({**weights, f'{prefix}stray.weight': torch.ones(1)})
    key = taken[len(taken) // 2]
    with pytest.raises(ValueError, match='shape'):
        convert_backbone({**weights, key: torch.ones(3, 5)})


def test_unknown_files_say_what_is_known():
    with pytest.raises(ValueError, match=r"like \['a.weight'\]. Known are"):
        convert_backbone({'a.weight': torch.ones(1)})
    two = {
        **layouts.put('a.', layouts.vit()),
        **layouts.put('b.', layouts.vit())
    }
    with pytest.raises(ValueError, match="2 networks .* under 'a.', 'b.'"):
        convert_backbone(two)


def test_students_of_saip_star():
    """Heads of the ViT are said; blocks behind the others have no place."""
    found = convert_backbone(
        layouts.vit(), options=dict(num_heads=6, last_block_heads=12))
    assert found.model['arch']['num_heads'] == 6
    assert found.model['last_block_heads'] == 12
    assert found.options == dict(num_heads=6, last_block_heads=12)
    again = convert_backbone(found.checkpoint())
    assert again.model == found.model
    with pytest.raises(ValueError, match='trained with num_heads=6, not 3'):
        convert_backbone(found.checkpoint(), options=dict(num_heads=3))
    weights = dict(
        layouts.starnet_authors(),
        cls_token=torch.ones(1, 1, 192),
        **{'vit_block.0.norm1.weight': torch.ones(192)})
    with pytest.raises(
            ValueError,
            match='unexpected: cls_token, vit_block.0.norm1.weight .*SAIP\\*'):
        convert_backbone(weights)


@torch.no_grad()
def test_official_and_timm_tinyvit_are_one_network(tmp_path):
    a = convert_backbone(layouts.tinyvit_official())
    b = convert_backbone(layouts.timm_weights(TINYVIT))
    assert a.model == b.model and list(a.weights) == list(b.weights)
    assert all(torch.equal(a.weights[k], b.weights[k]) for k in a.weights)


@torch.no_grad()
@pytest.mark.parametrize('name', [STARNET, TINYVIT])
def test_features_are_timms(name, tmp_path):
    torch.save(layouts.timm_weights(name), tmp_path / 'a.pth')
    backbone = load_backbone(str(tmp_path / 'a.pth'))
    x = torch.randn(1, 3, 96, 64)
    theirs = layouts.timm_model(name).forward_intermediates(
        x, intermediates_only=True)
    for ours, reference in zip(backbone(x), theirs):
        torch.testing.assert_close(ours, reference, rtol=1e-4, atol=1e-4)


def table(rows, columns, width=192):
    positions = sincos_positions((rows, columns), width).flatten(0, -2)
    return torch.cat((torch.zeros(1, 1, width), positions[None]), 1)


@pytest.mark.parametrize('wrap', [lambda w: w, lambda w: dict(student=w)])
def test_128x256_is_not_taken_for_256x128(wrap, tmp_path):
    weights = layouts.vit((8, 16))
    weights['pos_embed'] = table(8, 16)
    with pytest.raises(ValueError, match='lie like 8x16, not 16x8.*--grid 8'):
        convert_backbone(wrap(weights))
    found = convert_backbone(wrap(weights), grid=(8, 16))
    assert found.grid == (8, 16) and found.model['img_size'] == (128, 256)
    weights['pos_embed'] = table(16, 8)
    assert convert_backbone(wrap(weights)).grid == (16, 8)


def test_a_grid_other_than_the_files_is_refused():
    content = convert_backbone(layouts.vit((8, 16)), grid=(8, 16)).checkpoint()
    assert convert_backbone(content).grid == (8, 16)
    with pytest.raises(ValueError, match='said to be 16x8.*file says 8x16'):
        convert_backbone(content, grid=(16, 8))


@pytest.mark.parametrize('name', ONES)
def test_converting_again_changes_nothing(name):
    found = convert_backbone(FILES[name][0])
    if name == 'SOLIDER Swin':
        again = convert_backbone(found.checkpoint()['state_dict'])
    else:
        again = convert_backbone(found.checkpoint())
    assert again.model == found.model and not again.left_out
    assert list(again.weights) == list(found.weights)


@pytest.mark.parametrize('name, variant', [
    ('starnet_s1', 'starnet_s1'), ('starnet_s050', 'starnet_s050'),
    ('tiny_vit_11m_224', 'tiny_vit_11m_224')])  # yapf: disable
def test_other_sizes_of_a_family(name, variant):
    weights = timm.create_model(name).state_dict()
    assert convert_backbone(weights).model['model_name'] == variant
