from pathlib import Path

import pytest
import torch

from mmpretrain.registry import MODELS
from saip_mm.apis.encoders import encoder_over, ready_encoder
from saip_mm.models.encoders import MapEncoder, PlainEncoder
from saip_mm.weights import publish_backbone
from ..test_models.tiny_saip import BACKBONES, VIT, build
from .conftest import shaken

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
    with torch.no_grad():
        for value in model.expert.encoder.parameters():
            value.mul_(1.1)
    content = torch.load(path, weights_only=True)
    content['state_dict'] = model.state_dict()
    torch.save(content, path)
    found = ready_encoder(path, 'expert').encoder(IMAGES)
    expected = model.expert.encoder(IMAGES)
    assert torch.equal(found.image, expected.image)
    assert torch.equal(found.inner, expected.inner)
    student = ready_encoder(path).encoder(IMAGES)
    assert not torch.equal(student.image, expected.image)


@torch.no_grad()
def test_published_backbone_says_its_norms_are_missing(vit_file, log):
    path, model = vit_file
    file = publish_backbone(path, str(Path(path).parent / 'out'), name='vit')
    ready = ready_encoder(file.path)
    assert ready.size == (64, 32)  # of its positions
    assert ready.mean == (1., 2., 3.)
    expected = model.encoder.extract(IMAGES)
    assert torch.equal(ready.encoder.extract(IMAGES), expected)
    assert 'patch_norm of the encoder are as they start' in log.text
    assert 'image_norm' not in log.text
    with pytest.raises(ValueError, match='has no expert'):
        ready_encoder(file.path, 'expert')


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
            match='a.pth is of no backbone that is '
            r"known here: its keys are like \['conv1.weight'\]"):
        ready_encoder(path)
    with pytest.raises(TypeError, match='not a list'):
        ready_encoder([path])
    weights = build('vit').encoder.backbone.state_dict()
    weights.pop('layers.1.ln1.weight')
    torch.save(dict(state_dict=weights), path)
    with pytest.raises(ValueError, match='missing: layers.1.ln1.weight'):
        ready_encoder(path)
