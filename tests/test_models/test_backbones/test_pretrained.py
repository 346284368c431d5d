"""init_cfg of the backbones: one option, and no silent random start."""
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import HistoryBuffer, MMLogger
from safetensors.torch import save_file

import saip_mm.models  # noqa: F401
from mmpretrain.registry import MODELS
from saip_mm.engine import EncoderMetaHook
from saip_mm.weights import (NoMatchError, UnsafeCheckpointError,
                             publish_backbone)
from ..tiny_saip import BACKBONES, build, saip_config

STRIDE_MAPS = [name for name in BACKBONES if name != 'vit']


def start(cfg, **init_cfg):
    model = MODELS.build(cfg
                         | dict(init_cfg=dict(type='Pretrained', **init_cfg)))
    model.init_weights()
    return model


@pytest.mark.parametrize('name', BACKBONES)
def test_training_checkpoint_gives_its_student(name, tmp_path):
    saip = build(name)
    path = str(tmp_path / 'epoch_1.pth')
    torch.save(dict(state_dict=saip.state_dict(), meta={}), path)
    model = start(BACKBONES[name], checkpoint=path)
    own = model.state_dict()
    for key, value in saip.encoder.backbone.state_dict().items():
        assert torch.equal(own[key], value), key
    expert = start(
        BACKBONES[name], checkpoint=path, prefix='expert.encoder.backbone.')
    assert expert.state_dict().keys() == own.keys()


@pytest.mark.parametrize('name', BACKBONES)
def test_checkpoint_of_a_plain_runner_is_checked_too(name, tmp_path):
    """mmengine's own hook saves its log buffers, which are no plain types."""
    saip, path = build(name), str(tmp_path / 'epoch_1.pth')
    hub = dict(log_scalars={'train/loss': HistoryBuffer()})
    torch.save(dict(state_dict=saip.state_dict(), message_hub=hub), path)
    own = start(BACKBONES[name], checkpoint=path).state_dict()
    for key, value in saip.encoder.backbone.state_dict().items():
        assert torch.equal(own[key], value), key
    torch.save(
        dict(state_dict={'fc.weight': torch.ones(2)}, message_hub=hub), path)
    with pytest.raises(NoMatchError, match="no tensor matches.*'fc.weight'"):
        start(BACKBONES[name], checkpoint=path)


@pytest.mark.parametrize('name', BACKBONES)
def test_no_checkpoint_is_a_random_start(name):
    torch.manual_seed(0)
    model = start(BACKBONES[name], checkpoint=None)
    torch.manual_seed(0)
    plain = MODELS.build(BACKBONES[name])
    plain.init_weights()
    for key, value in plain.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


@pytest.mark.parametrize('name', BACKBONES)
def test_no_tensor_matches(name, tmp_path):
    path = str(tmp_path / 'other.pth')
    torch.save(dict(state_dict={'fc.weight': torch.ones(2, 3)}), path)
    error = r"other.pth does not fit \w+: no tensor matches.*'fc.weight'"
    with pytest.raises(RuntimeError, match=error):
        start(BACKBONES[name], checkpoint=path)
    other = {'starnet': 'tinyvit'}.get(name, 'starnet')
    weights = MODELS.build(BACKBONES[other]).state_dict()
    weights = {f'backbone.{key}': value for key, value in weights.items()}
    torch.save(dict(state_dict=weights), path)
    with pytest.raises(NoMatchError, match="other.pth .*'backbone.timm_mod"):
        start(BACKBONES[name], checkpoint=path)


@pytest.mark.parametrize('name', STRIDE_MAPS)
def test_partial_file_is_refused(name, tmp_path):
    weights = MODELS.build(BACKBONES[name]).state_dict()
    key = [k for k in weights if k.endswith('conv.weight')][-1]
    del weights[key]
    path = str(tmp_path / 'cut.pth')
    torch.save(weights, path)
    with pytest.raises(ValueError, match=f'cut.pth .*missing: {key}'):
        start(BACKBONES[name], checkpoint=path)


@pytest.mark.parametrize('name', STRIDE_MAPS)
def test_train_returns_the_backbone(name):
    model = MODELS.build(BACKBONES[name])
    assert model.eval() is model and not model.training
    assert model.train() is model and model.training


@pytest.mark.parametrize('name', STRIDE_MAPS)
def test_last_map_alone(name, tmp_path):
    path = str(tmp_path / 'all.pth')
    torch.save(MODELS.build(BACKBONES[name]).state_dict(), path)
    model = start(BACKBONES[name] | dict(out_indices=(3, )), checkpoint=path)
    maps = model.eval()(torch.randn(1, 3, 64, 32))
    assert [m.shape[2:] for m in maps] == [(2, 1)]


def test_log_counts_the_tensors(tmp_path, monkeypatch):
    path, lines = str(tmp_path / 'weights.pth'), []
    monkeypatch.setattr('saip_mm.models.backbones.pretrained.print_log',
                        lambda text, *args: lines.append(text))
    weights = MODELS.build(BACKBONES['vit']).state_dict()
    total = len(weights) - 1  # the grid, which a model knows itself
    del weights['cls_token'], weights['pos_grid']
    weights['norm.weight'] = torch.ones(16)
    torch.save({f'backbone.{k}': v for k, v in weights.items()}, path)
    start(BACKBONES['vit'], checkpoint=path, prefix='backbone')
    assert lines == [
        f"Take 'backbone.*' of {path}: {total - 1} tensors found, 1 missing, "
        '1 unexpected'
    ]


WRAPPED = dict(
    ddp=lambda w: dict(state_dict={
        f'module.{k}': v
        for k, v in w.items()
    }),
    compiled=lambda w: dict(state_dict={
        f'_orig_mod.{k}': v
        for k, v in w.items()
    }),
    both=lambda w: {
        f'module._orig_mod.{k}': v
        for k, v in w.items()
    },
    nested=lambda w: dict(model=w, epoch=3),
    nested_twice=lambda w: dict(model=dict(state_dict=w)),
)


@pytest.mark.parametrize('whole', [True, False])
@pytest.mark.parametrize('kind', WRAPPED)
@pytest.mark.parametrize('name', BACKBONES)
def test_wrappers_and_nests_are_taken_off(name, kind, whole, tmp_path):
    """Of a training checkpoint, and of a backbone alone."""
    saip, path = build(name), str(tmp_path / 'epoch_1.pth')
    source = saip if whole else saip.encoder.backbone
    torch.save(WRAPPED[kind](dict(source.state_dict())), path)
    own = start(BACKBONES[name], checkpoint=path).state_dict()
    for key, value in saip.encoder.backbone.state_dict().items():
        assert torch.equal(own[key], value), key


@pytest.mark.parametrize('name', BACKBONES)
def test_safetensors_are_loaded(name, tmp_path):
    backbone = build(name).encoder.backbone
    path = str(tmp_path / 'backbone.safetensors')
    save_file(dict(backbone.state_dict()), path)
    own = start(BACKBONES[name], checkpoint=path).state_dict()
    for key, value in backbone.state_dict().items():
        assert torch.equal(own[key], value), key


@pytest.mark.parametrize('name', BACKBONES)
def test_wrong_keys_in_a_nest_are_listed(name, tmp_path):
    path = str(tmp_path / 'dino.pth')
    torch.save(dict(teacher={'backbone.blocks.0.a': torch.ones(2)}), path)
    with pytest.raises(
            NoMatchError,
            match=r"keys are like \['teacher.backbone.blocks.0.a'\]"):
        start(BACKBONES[name], checkpoint=path)


@pytest.mark.parametrize('name', BACKBONES)
def test_a_whole_pickled_model_is_named(name, tmp_path):
    path = str(tmp_path / 'model.pth')
    torch.save(build(name).encoder.backbone, path)
    with pytest.raises(
            UnsafeCheckpointError, match='model.pth holds a whole pickled'):
        start(BACKBONES[name], checkpoint=path)


# what tensors do not show


def published(backbone, tmp_path):
    """The file of a tiny SAIP with that backbone."""
    torch.manual_seed(0)
    config = saip_config()
    model = MODELS.build(config
                         | dict(encoder=config['encoder']
                                | dict(backbone=backbone)))
    checkpoint = dict(state_dict=model.state_dict(), meta=dict(epoch=1))
    EncoderMetaHook().before_save_checkpoint(
        SimpleNamespace(model=model), checkpoint)
    path = str(tmp_path / 'epoch_1.pth')
    torch.save(checkpoint, path)
    return path, publish_backbone(path, str(tmp_path)).path


def test_other_heads_are_refused_though_they_fit(tmp_path):
    heads = dict(num_heads=2, last_block_heads=4)
    for path in published(BACKBONES['vit'] | heads, tmp_path):
        model = start(BACKBONES['vit'] | heads, checkpoint=path)
        assert [b.attn.num_heads for b in model.layers] == [2, 2, 4]
        with pytest.raises(
                ValueError, match=f'{path} .* with last_block_heads=4, '):
            start(BACKBONES['vit'], checkpoint=path)


def test_another_stride_is_told(tmp_path, caplog):
    cfg = BACKBONES['starnet']
    for path in published(cfg | dict(last_stride=1), tmp_path):
        logger = MMLogger.get_current_instance()
        logger.addHandler(caplog.handler)
        start(cfg, checkpoint=path)
        logger.removeHandler(caplog.handler)
        assert (f'{path} was trained with last_stride=1, here it is '
                'last_stride=2') in caplog.text
