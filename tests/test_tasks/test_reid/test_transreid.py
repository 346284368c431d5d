from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmpretrain.registry import MODELS
from saip_mm.tasks.reid import shift_and_shuffle
from ...test_models.tiny_saip import ARCH
from ..tiny_backbone import shrink_backbone
from .samples import make_samples

CONFIGS = Path(__file__).parents[3] / 'configs/reid/market1501'
BACKBONES = ('vit_tiny', 'starnet_s3', 'tinyvit_5m')
LABELS, CAMS = [0, 0, 1, 1], [0, 1, 2, 0]


def build(name='vit_tiny', start=True, **settings):
    cfg = Config.fromfile(CONFIGS / f'{name}.py').model
    shrink_backbone(cfg.backbone)
    cfg.backbone.drop_path_rate = 0.
    cfg.head.num_classes = 4
    cfg.update(settings)
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    if start:
        model.init_weights()
    return model


def images(count=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, 64, 32, generator=generator)


@pytest.mark.parametrize('name', BACKBONES)
def test_every_parameter_learns(name):
    model = build(name)
    model.train()
    losses = model.loss(images(), make_samples(LABELS))
    assert sorted(losses) == ['acc', 'loss_id', 'loss_tri']
    total, log = model.parse_losses(losses)
    torch.testing.assert_close(total, losses['loss_id'] + losses['loss_tri'])
    total.backward()
    for key, param in model.named_parameters():
        if param.requires_grad:
            assert param.grad is not None and param.grad.isfinite().all(), key
    assert [k for k, p in model.named_parameters()
            if not p.requires_grad] == ['head.norms.0.bias']


@pytest.mark.parametrize('name, width', [('vit_tiny', 16), ('starnet_s3', 64),
                                         ('tinyvit_5m', 256)])
def test_width_is_read_off_the_backbone(name, width):
    model = build(name)
    assert model.head.norms[0].num_features == width
    model.train(False)
    vectors = model(images())
    assert vectors.shape == (4, width)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))


def test_probing_a_width_leaves_statistics():
    model = build('starnet_s3', start=False)
    fresh = model.backbone.state_dict()
    assert all(not value.any() for key, value in fresh.items()
               if key.endswith(('running_mean', 'num_batches_tracked')))
    assert model.backbone.training


@torch.no_grad()
def test_tokens():
    """Class token after the norm; average of the last map."""
    model = build()
    model.train(False)
    found, = model.extract_feat(images())
    backbone = model.backbone
    backbone.out_type = 'raw'
    torch.testing.assert_close(found, backbone(images())[-1][:, 0])
    model = build('starnet_s3')
    model.train(False)
    found, = model.extract_feat(images())
    maps = model.extract_feat(images(), stage='backbone')
    assert len(maps) == 4
    torch.testing.assert_close(found, maps[-1].mean((2, 3)))


@torch.no_grad()
def test_predicts_features_for_the_metric():
    model = build()
    model.train(False)
    found = model.predict(images(), make_samples(LABELS, CAMS))
    assert [s.camid for s in found] == CAMS
    torch.testing.assert_close(
        torch.stack([s.feature for s in found]), model(images()))


def test_a_neck_of_ones_own():
    """The average of a transformer's patches, say."""
    model = build(neck=dict(type='GlobalAveragePooling'))
    model.train(False)
    with torch.no_grad():
        found, = model.extract_feat(images())
        patches = model.backbone(images())[-1]
    torch.testing.assert_close(found, patches.mean((2, 3)))


def test_all_of_transreid():
    """Step by step, with tokens of all blocks."""
    model = build(jpm=dict(), sie=dict(num_cams=3))
    model.train(False)
    last = model.backbone.layers[-1].state_dict()
    for key, value in model.jigsaw.layer.state_dict().items():
        assert torch.equal(value, last[key])
    model.jigsaw.layer.ffn.layers[1].bias.data += 1.
    x = images()
    with torch.no_grad():
        found = model.extract_feat(x, cams=CAMS)
        body = model.backbone
        tokens, grid = body.patch_embed(x)
        tokens = torch.cat((body.cls_token.expand(4, -1, -1), tokens), 1)
        tokens = tokens + body.pos_embed
        tokens = tokens + torch.stack(
            [3. * model.camera.table[cam] for cam in CAMS])
        for layer in body.layers[:-1]:
            tokens = layer(tokens)
        torch.testing.assert_close(found[0],
                                   body.ln1(body.layers[-1](tokens))[:, 0])
        mixed = shift_and_shuffle(tokens[:, 1:])
        for j in range(4):  # 4x2 patches, 2 a part
            part = torch.cat((tokens[:, :1], mixed[:, 2 * j:2 * j + 2]), 1)
            out = model.jigsaw.norm(model.jigsaw.layer(part))[:, 0]
            torch.testing.assert_close(found[1 + j], out)
    assert len(model.head.norms) == 5
    assert model.predict(x, make_samples(LABELS,
                                         CAMS))[0].feature.shape == (80, )


def test_all_of_transreid_learns():
    model = build(jpm=dict(divide=2), sie=dict(num_cams=3, weight=1.))
    model.train()
    losses = model.loss(images(), make_samples(LABELS, CAMS))
    (losses['loss_id'] + losses['loss_tri']).backward()
    for key, param in model.named_parameters():
        if param.requires_grad:
            assert param.grad is not None and param.grad.isfinite().all(), key


def test_additions_change_nothing_of_the_backbone():
    """A pretrained file of the backbone fits both."""
    plain, full = build(), build(jpm=dict(), sie=dict(num_cams=3))
    assert set(plain.backbone.state_dict()) == set(full.backbone.state_dict())


def test_starts_from_a_published_backbone(tmp_path):
    source = build()
    path = str(tmp_path / 'backbone.pth')
    torch.save(source.backbone.state_dict(), path)
    cfg = dict(type='Pretrained', checkpoint=path)
    model = Config.fromfile(CONFIGS / 'vit_tiny_jpm_sie.py').model
    shrink_backbone(model.backbone)
    model.backbone.init_cfg = cfg
    torch.manual_seed(5)
    model = MODELS.build(model)
    model.init_weights()
    for key, value in source.backbone.state_dict().items():
        assert torch.equal(model.backbone.state_dict()[key], value), key
    for key, value in model.jigsaw.layer.state_dict().items():
        assert torch.equal(value, source.backbone.layers[-1].state_dict()[key])


@pytest.mark.parametrize(
    'extra', [dict(jpm=dict()), dict(sie=dict(num_cams=3))])
def test_needs_a_class_token(extra):
    name, = extra
    with pytest.raises(
            ValueError,
            match=f'{name} needs a ViT encoder with a class token, '
            'and no neck, got starnet_s3: leave model.'):
        build('starnet_s3', **extra)
    with pytest.raises(ValueError, match='GridVisionTransformer'):
        build(neck=dict(type='GlobalAveragePooling'), **extra)


def test_cameras_that_nobody_tells():
    model = build(sie=dict(num_cams=3))
    with pytest.raises(ValueError, match="'0.jpg' has no camid.*PackPerson"):
        model.loss(images(), make_samples(LABELS))
    with pytest.raises(ValueError, match='SIE needs the camera'):
        model(images())
    with pytest.raises(ValueError, match='camera 4 .counted from 1. was not'):
        model.predict(images(), make_samples(LABELS, [0, 1, 2, 3]))


def test_a_loss_that_is_not_finite_stops():
    model = build()
    with pytest.raises(FloatingPointError, match='loss_tri is nan'):
        model.parse_losses(
            dict(loss_id=torch.ones(()), loss_tri=torch.tensor(torch.nan)))


def test_overlapping_patches():
    """Stride 12: ((H - 16) // 12 + 1) rows."""
    body = MODELS.build(
        dict(
            type='GridVisionTransformer',
            arch=ARCH,
            img_size=(256, 128),
            patch_size=16,
            patch_cfg=dict(stride=12, padding=0)))
    tokens, grid = body.embed(torch.zeros(1, 3, 256, 128))
    assert grid == (21, 10) and tokens.shape == (1, 211, 16)
