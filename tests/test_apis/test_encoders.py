import pytest
import torch

from mmpretrain.registry import MODELS
from saip_mm.apis.encoders import encoder_over, ready_encoder
from saip_mm.models.encoders import MapEncoder, PlainEncoder
from saip_mm.weights import convert_backbone
from saip_mm.weights.release import publish_release
from ..test_models.tiny_saip import BACKBONES, VIT, build
from ..test_weights.layouts import files
from .conftest import shaken, trained_file

IMAGES = torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_training_checkpoint_gives_the_encoder_it_was_saved_of(vit_file):
    path, model = vit_file
    ready = ready_encoder(path)
    assert ready.size == (96, 48) and ready.name == 'epoch_1'
    assert ready.mean == (1., 2., 3.) and ready.std == (4., 5., 6.)
    assert not ready.encoder.training
    for name in ('image', 'inner', 'final'):
        expected = model.encoder(IMAGES, tokens=(name, ))
        found = ready.encoder(IMAGES, tokens=(name, ))
        assert torch.equal(getattr(found, name), getattr(expected, name)), name


@torch.no_grad()
def test_expert(vit_file):
    path, model = vit_file
    found = ready_encoder(path, 'expert').encoder(IMAGES)
    expected = model.expert.encoder(IMAGES)
    assert torch.equal(found.image, expected.image)
    assert torch.equal(found.inner, expected.inner)
    student = ready_encoder(path).encoder(IMAGES)
    assert not torch.equal(student.image, expected.image)


@torch.no_grad()
@pytest.mark.parametrize('which', ['student', 'expert'])
@pytest.mark.parametrize('backbone', BACKBONES)
def test_what_is_published_is_what_was_trained(backbone, which, tmp_path, log):
    """All tokens to the bit, the size, the statistics; of both formats."""
    path, model = trained_file(tmp_path, backbone)
    own = model.encoder if which == 'student' else model.expert.encoder
    expected = own(IMAGES, tokens=('image', 'inner', 'final'))
    files = publish_release(path, str(tmp_path / 'out'), which).files
    for file in (path, *files[:2]):
        ready = ready_encoder(file, which if file == path else None)
        found = ready.encoder(IMAGES, tokens=('image', 'inner', 'final'))
        for name in ('image', 'inner', 'final'):
            assert torch.equal(getattr(found, name), getattr(expected, name))
        assert ready.size == (96, 48)
        assert ready.mean == (1., 2., 3.) and ready.std == (4., 5., 6.)
    assert 'as they start' not in log.text
    other = 'expert' if which == 'student' else 'student'
    with pytest.raises(ValueError, match=f"the {which} alone, no '{other}'"):
        ready_encoder(files[0], other)


@torch.no_grad()
def test_what_is_converted_keeps_what_was_trained(tmp_path):
    path, model = trained_file(tmp_path, 'tinyvit')
    converted = convert_backbone(torch.load(path, weights_only=True))
    torch.save(converted.checkpoint(), tmp_path / 'b.pth')
    ready = ready_encoder(str(tmp_path / 'b.pth'))
    assert torch.equal(
        ready.encoder.extract(IMAGES), model.encoder.extract(IMAGES))
    assert ready.mean == (1., 2., 3.) and ready.size == (96, 48)


def test_a_config_that_is_not_run_is_read_all_the_same(tmp_path):
    """Else a hook of one's own would change the size of the pictures."""
    path, model = trained_file(tmp_path)
    content = torch.load(path, weights_only=True)
    content['meta']['cfg'] += "custom_hooks = [dict(type='mine.Hook')]\n"
    torch.save(content, path)
    ready = ready_encoder(path)
    assert ready.size == (96, 48) and ready.encoder.patch_index == 1


def test_a_norm_of_another_width_is_named(tmp_path):
    path, _ = trained_file(tmp_path, 'starnet')
    content = torch.load(path, weights_only=True)
    content['state_dict']['encoder.image_norm.bias'] = torch.ones(3)
    torch.save(content, path)
    with pytest.raises(
            ValueError, match="epoch_1.pth: image_norm .*'bias': 3"):
        ready_encoder(path)


@torch.no_grad()
@pytest.mark.parametrize('name, kind', [
    ('SAIP release', PlainEncoder), ('DINO', PlainEncoder),
    ('TinyViT official', MapEncoder), ('StarNet authors', MapEncoder),
])  # yapf: disable
def test_other_projects_files(name, kind, tmp_path, log):
    """Their norms are not known, which is said."""
    content, _, model = files()[name]
    path = str(tmp_path / 'theirs.pth')
    torch.save(content, path)
    ready = ready_encoder(path)
    assert isinstance(ready.encoder, kind)
    assert ready.size == model.get('img_size', (256, 128))
    assert f'{path} holds a backbone alone, ' in log.text
    assert ready.encoder.extract(IMAGES).isfinite().all()


@torch.no_grad()
def test_starnet_by_its_tensors_alone(tmp_path):
    torch.manual_seed(0)
    cfg = dict(type='StrideMapBackbone', model_name='starnet_s3')
    encoder = shaken(MapEncoder(cfg)).train(False)
    weights = {f'encoder.{k}': v for k, v in encoder.state_dict().items()}
    path = tmp_path / 'star.pth'
    torch.save(dict(state_dict=weights), path)
    ready = ready_encoder(path)
    assert ready.size == (256, 128)
    assert ready.mean == pytest.approx((123.675, 116.28, 103.53))
    found, expected = ready.encoder(IMAGES), encoder(IMAGES)
    assert torch.equal(found.image, expected.image)
    assert torch.equal(found.inner, expected.inner)


@pytest.mark.parametrize('backbone', BACKBONES)
@torch.no_grad()
def test_what_is_built_already(backbone):
    model = build(backbone)
    ready = ready_encoder(model)
    assert ready.encoder is model.encoder and ready.encoder.training
    model.train(False)
    assert ready.mean == pytest.approx((123.675, 116.28, 103.53))
    assert ready_encoder(ready) is ready
    assert ready_encoder(model.encoder).encoder is model.encoder
    over = ready_encoder(model.encoder.backbone).encoder
    assert over.backbone is model.encoder.backbone
    assert isinstance(over, PlainEncoder if backbone == 'vit' else MapEncoder)
    # norms are as both start
    assert torch.equal(over.extract(IMAGES), model.encoder.extract(IMAGES))


def test_inner_block_is_the_one_behind_the_middle():
    for depth, index in ((12, 6), (3, 1), (1, 0)):
        cfg = dict(VIT, arch=dict(VIT['arch'], num_layers=depth))
        assert encoder_over(MODELS.build(cfg)).patch_index == index


def test_what_is_no_encoder(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pth does not exist'):
        ready_encoder(tmp_path / 'none.pth')
    path = tmp_path / 'a.pth'
    torch.save(dict(state_dict={'conv1.weight': torch.ones(1)}), path)
    with pytest.raises(
            ValueError,
            match=r"a.pth: no known layout: its keys are like \['conv1.wei"):
        ready_encoder(path)
    with pytest.raises(TypeError, match='not a list'):
        ready_encoder([path])
    weights = build('vit').encoder.backbone.state_dict()
    weights.pop('layers.1.ln1.weight')
    torch.save(
        dict(state_dict=weights, meta=dict(backbone=dict(num_heads=2))), path)
    with pytest.raises(
            ValueError, match='a.pth: .*missing: layers.1.ln1.weight'):
        ready_encoder(path)
