"""One published file, loaded by every library at every size."""
import importlib

import pytest
import torch

from saip_mm.apis.models import backbone_config, load_backbone
from saip_mm.weights import publish_backbone
from saip_mm.weights.safetensors_file import safetensors_bytes
from ..test_models.tiny_saip import BACKBONES, build
from ..test_weights import layouts

SIZES = ((256, 128), (256, 192), (384, 288), (512, 512), (800, 1344))
LIBRARIES = ('mmpretrain', 'mmpose', 'mmdet', 'mmseg')


@pytest.fixture(scope='module', params=BACKBONES)
def trained(request, tmp_path_factory):
    """A tiny pretraining, its student's backbone, what was published of it."""
    model = build(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    source = str(folder / 'epoch_1.pth')
    options = dict(model.encoder.backbone.options)
    torch.save(
        dict(
            meta=dict(epoch=1, encoder=dict(backbone=options)),
            state_dict=model.state_dict()), source)
    published = publish_backbone(source, str(folder), name='tiny')
    return model.encoder.backbone.train(False), published.path, source


@torch.no_grad()
def features(backbone, x):
    if hasattr(backbone, 'forward_tokens'):
        tokens = backbone.forward_tokens(x, tokens=('image', 'final'))
        return [tokens.image, tokens.final]
    return list(backbone(x))


def assert_equal(one, other, x):
    for a, b in zip(features(one, x), features(other, x), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize('library', LIBRARIES)
def test_one_file_serves_every_library(trained, library):
    """Bit for bit at each size, and at its own by the file's own grid."""
    pytest.importorskip(library)
    original, path, _ = trained
    registry = importlib.import_module(f'{library}.registry').MODELS
    for size in (None, *SIZES):
        backbone = registry.build(backbone_config(path, img_size=size))
        backbone.init_weights()
        backbone.train(False)
        assert_equal(backbone, original, torch.randn(1, 3, *(size
                                                             or (64, 32))))


def test_a_loaded_backbone_is_ready(trained):
    original, path, source = trained
    state = torch.random.get_rng_state()
    x = torch.randn(2, 3, 64, 32)
    torch.random.set_rng_state(state)
    for file in (path, source):
        backbone = load_backbone(file)
        assert not any(m.training for m in backbone.modules())
        assert backbone.origin['file'] == file
        assert_equal(backbone, original, x)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_positions_are_resized_at_load(trained):
    original, path, _ = trained
    backbone = load_backbone(path, img_size=(96, 96))
    if hasattr(backbone, 'pos_embed'):
        assert backbone.pos_embed.shape[1] == 1 + 36
    assert_equal(backbone, original, torch.randn(1, 3, 96, 96))


def test_a_safetensors_file_is_the_same(trained, tmp_path):
    original, path, _ = trained
    content = torch.load(path, weights_only=True)
    copy = tmp_path / 'a.safetensors'
    copy.write_bytes(safetensors_bytes(content))
    assert copy.read_bytes() == safetensors_bytes(content)
    backbone = load_backbone(str(copy))
    assert backbone.config == load_backbone(path).config
    assert_equal(backbone, original, torch.randn(1, 3, 64, 32))


def test_the_expert_is_another(tmp_path):
    model = build('vit')
    with torch.no_grad():
        model.expert.encoder.backbone.cls_token.add_(1.)
    path = str(tmp_path / 'epoch_1.pth')
    torch.save(
        dict(
            meta=dict(encoder=dict(backbone=model.encoder.backbone.options)),
            state_dict=model.state_dict()), path)
    expert = model.expert.encoder.backbone
    for which in ('expert', 'teacher'):
        assert torch.equal(
            load_backbone(path, which).cls_token, expert.cls_token)
        cfg = backbone_config(path, which)
        assert cfg['init_cfg']['prefix'] == 'expert.encoder.backbone.'
    published = publish_backbone(path, str(tmp_path), 'expert', name='e')
    assert torch.equal(
        load_backbone(published.path, 'expert').cls_token, expert.cls_token)
    with pytest.raises(ValueError, match="the expert alone, no 'student'"):
        load_backbone(published.path, 'student')


def test_others_files_load_but_for_init_cfg(tmp_path):
    path = str(tmp_path / 'theirs.pth')
    torch.save(dict(model=layouts.vit()), path)
    backbone = load_backbone(path, out_indices=[2, 5, 8, 11])
    assert len(backbone(torch.zeros(1, 3, 32, 32))) == 4
    with pytest.raises(ValueError, match=f'convert {path} OUT.pth'):
        backbone_config(path)


@pytest.mark.parametrize('options, error', [
    (dict(num_heads=4), 'trained with num_heads=2, not 4'),
    (dict(which='both'), "got 'both'"),
    (dict(grid=(2, 4)), 'said to be 2x4.*file says 4x2'),
])
def test_what_does_not_fit_names_the_file(options, error, tmp_path):
    model = build('vit')
    path = str(tmp_path / 'epoch_1.pth')
    torch.save(
        dict(
            meta=dict(encoder=dict(backbone=model.encoder.backbone.options)),
            state_dict=model.state_dict()), path)
    with pytest.raises(ValueError, match=f'epoch_1.pth: .*{error}'):
        load_backbone(path, **options)


def test_a_missing_tensor_is_no_random_one(trained, tmp_path):
    content = torch.load(trained[1], weights_only=True)
    key = list(content['state_dict'])[-2]
    del content['state_dict'][key]
    path = str(tmp_path / 'less.pth')
    torch.save(content, path)
    with pytest.raises(ValueError, match=f'less.pth: .*{key}'):
        load_backbone(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pth does not exist'):
        load_backbone(str(tmp_path / 'none.pth'))
