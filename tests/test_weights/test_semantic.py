import pytest
import torch

from mmpretrain.registry import MODELS
from saip_mm.apis import load_backbone
from saip_mm.weights import (convert_backbone, extract_backbone,
                             publish_backbone, read_checkpoint)
from saip_mm.weights.semantic import controlled_blocks, fold_controllers
from saip_mm.weights.timm_folder import NoTimmModelError, timm_model
from ..test_models.test_encoders.test_semantic import encoder
from ..test_models.tiny_saip import BACKBONES

IMAGE = torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=BACKBONES)
def trained(request, tmp_path):
    """A training checkpoint, its encoder, the kind of backbone."""
    model = encoder(request.param)
    state = {f'encoder.{k}': v for k, v in model.state_dict().items()}
    meta = dict(
        encoder=dict(backbone=model.backbone.options, semantic_weight=0.75))
    torch.save(dict(state_dict=state, meta=meta), tmp_path / 'epoch.pth')
    return str(tmp_path / 'epoch.pth'), model, request.param


def maps_of(model, weight):
    """What its backbone gives at a constant lambda."""
    model._told = torch.full((2, ), weight)
    try:
        return model.backbone(IMAGE)
    finally:
        model._told = None


@pytest.mark.parametrize('weight', [0., 0.2, 1.])
def test_published_backbone_is_the_encoder_at_one_lambda(
        trained, weight, tmp_path):
    path, model, kind = trained
    published = publish_backbone(
        path, str(tmp_path / 'out'), semantic_weight=weight).path
    assert read_checkpoint(published)['meta']['semantic_weight'] == weight
    plain = MODELS.build(
        dict(
            BACKBONES[kind],
            init_cfg=dict(type='Pretrained', checkpoint=published)))
    plain.init_weights()
    plain.train(False)
    for ours, theirs in zip(plain(IMAGE), maps_of(model, weight)):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_lambda_of_the_training_is_the_default(trained, tmp_path):
    path, model, _ = trained
    _, meta = extract_backbone(read_checkpoint(path))
    assert meta['semantic_weight'] == 0.75


def test_lambda_is_refused_where_it_is_settled(trained, tmp_path):
    path, _, _ = trained
    published = publish_backbone(path, str(tmp_path), semantic_weight=0.5).path
    publish_backbone(published, str(tmp_path), semantic_weight=0.5)
    with pytest.raises(ValueError, match='0.4: .* has those of 0.5 in it'):
        publish_backbone(published, str(tmp_path), semantic_weight=0.4)


def test_lambda_is_refused_where_there_are_no_controllers(trained):
    content = read_checkpoint(trained[0])
    for key in [k for k in content['state_dict'] if 'controllers' in k]:
        content['state_dict'].pop(key)
    for weight in (0.2, 7., float('nan')):
        with pytest.raises(ValueError, match='has no controllers of SOLIDER'):
            convert_backbone(content, semantic_weight=weight)


def test_stages_hold_nothing_new_and_blocks_hold_buffers(trained):
    path, model, kind = trained
    folded, _ = extract_backbone(read_checkpoint(path))
    new = set(folded) - set(model.backbone.state_dict())
    if kind != 'vit':
        assert not new
        return
    assert new == {
        f'layers.{i}.affine_{name}'
        for i in controlled_blocks(3)
        for name in ('gain', 'shift')
    }
    found = convert_backbone(read_checkpoint(path))
    with pytest.raises(NoTimmModelError, match='gains and shifts'):
        timm_model(found)


def test_transformer_forgets_gains_that_the_next_file_has_not(trained):
    path, model, kind = trained
    if kind != 'vit':
        pytest.skip('others hold none')
    folded, _ = extract_backbone(read_checkpoint(path))
    plain = MODELS.build(BACKBONES['vit'])
    plain.load_state_dict(folded, strict=False)
    plain.train(False)
    saved = plain.state_dict()  # a downstream checkpoint, taken up again
    again = MODELS.build(BACKBONES['vit'])
    again.load_state_dict(saved, strict=False)
    again.train(False)
    torch.testing.assert_close(plain(IMAGE), again(IMAGE))
    plain.load_state_dict(model.backbone.state_dict(), strict=False)
    for ours, theirs in zip(plain(IMAGE), model.backbone(IMAGE)):
        torch.testing.assert_close(ours, theirs)


def test_training_checkpoint_is_not_taken_for_a_backbone(trained):
    path, model, kind = trained
    plain = MODELS.build(
        dict(
            BACKBONES[kind], init_cfg=dict(type='Pretrained',
                                           checkpoint=path)))
    with pytest.raises(ValueError, match='--semantic-weight 0.2'):
        plain.init_weights()


def test_load_backbone_takes_the_published_file(trained, tmp_path):
    path, model, kind = trained
    published = publish_backbone(path, str(tmp_path / 'out')).path
    loaded = load_backbone(published)
    expected = maps_of(model, 0.75)
    if kind == 'vit':  # as a map
        loaded.out_type = 'cls_token'
    for ours, theirs in zip(loaded(IMAGE), expected):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_bad_lambda_and_unknown_places_are_refused():
    weights = {'controllers.0.gain.weight': torch.zeros(4, 2)}
    weights.update({
        f'controllers.0.{k}': torch.zeros(4)
        for k in ('gain.bias', 'shift.bias')
    })
    weights['controllers.0.shift.weight'] = torch.zeros(4, 2)
    with pytest.raises(ValueError, match='got 2'):
        fold_controllers({}, weights, 2)
    with pytest.raises(ValueError, match="names like .'conv1.weight'"):
        fold_controllers({'conv1.weight': torch.ones(1)}, weights)
