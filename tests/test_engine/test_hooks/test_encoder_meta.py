from types import SimpleNamespace

import torch

from saip_mm.engine import EncoderMetaHook
from saip_mm.weights import publish_backbone
from ...test_models.tiny_saip import build

CONFIG = 'model = dict(encoder=dict(backbone=dict(num_heads=2)))'


def saved(model):
    checkpoint = dict(state_dict=model.state_dict(), meta=dict(epoch=1))
    EncoderMetaHook().before_save_checkpoint(
        SimpleNamespace(model=model), checkpoint)
    return checkpoint


def test_statistics_and_untrained_layers_are_published(tmp_path):
    mean, std = [89.89, 79.2, 80.07], [67.83, 64.31, 63.88]
    model = build(
        'vit', ('csm', 'css'),
        data_preprocessor=dict(mean=mean, std=std, scale_range=(0.5, 1.5)))
    checkpoint = saved(model)
    untrained = checkpoint['meta']['encoder']['untrained']
    params = dict(model.encoder.backbone.named_parameters())
    assert {'ln1.weight', 'ln1.bias', 'layers.2.attn.qkv.weight'
            } <= set(untrained) < set(params)
    assert all(not params[name].requires_grad for name in untrained)
    torch.save(checkpoint, tmp_path / 'epoch_1.pth')
    path = publish_backbone(str(tmp_path / 'epoch_1.pth'), str(tmp_path)).path
    meta = torch.load(path, weights_only=True)['meta']
    assert meta['input'] == dict(channels='RGB', mean=mean, std=std)
    assert meta['untrained'] == untrained


def test_nothing_is_said_of_what_is_trained(tmp_path):
    torch.save(saved(build('vit')), tmp_path / 'epoch_1.pth')
    path = publish_backbone(str(tmp_path / 'epoch_1.pth'), str(tmp_path)).path
    meta = torch.load(path, weights_only=True)['meta']
    assert 'untrained' not in meta
    assert meta['input']['mean'] == [123.675, 116.28, 103.53]


def test_other_models_are_left_alone():
    checkpoint = dict(meta={})
    EncoderMetaHook().before_save_checkpoint(
        SimpleNamespace(model=torch.nn.Linear(1, 1)), checkpoint)
    assert checkpoint == dict(meta={})


def test_what_another_program_calls_its_encoder_is_left_out(tmp_path):
    for number, encoder in enumerate(('vit', dict(name='x'))):
        path = tmp_path / f'{number}.pth'
        torch.save(
            dict(
                state_dict=build('vit').state_dict(),
                meta=dict(encoder=encoder, cfg=CONFIG)), path)
        published = publish_backbone(str(path), str(tmp_path)).path
        meta = torch.load(published, weights_only=True)['meta']
        assert not {'input', 'untrained'} & set(meta)
