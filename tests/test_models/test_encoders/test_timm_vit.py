"""timm's plain transformers as encoders."""
import json

import pytest
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from saip_mm.models import FrozenExpert, TimmEncoder

SMALL = dict(embed_dim=64, depth=3, num_heads=2, img_size=56)
WISHES = ('image', 'inner', 'final', 'attention')


def small(name, **kwargs):
    torch.manual_seed(0)
    return TimmEncoder(name, **SMALL | kwargs).eval()


@torch.no_grad()
def test_tokens_are_timms():
    encoder = small('vit_small_patch14_reg4_dinov2', patch_index=1)
    images = torch.randn(2, 3, 112, 56)
    seen = []
    encoder.backbone.blocks[2].attn.qkv.register_forward_hook(
        lambda m, args, out: seen.append(out))
    out = encoder(images, tokens=WISHES)
    last, (inner, ) = encoder.backbone.forward_intermediates(
        images, indices=[1], output_fmt='NLC')
    assert out.grid == (8, 4) and encoder.dims.stride == 14
    torch.testing.assert_close(out.image, last[:, 0])
    torch.testing.assert_close(out.final, last[:, 5:])
    torch.testing.assert_close(out.inner, inner)
    parts = seen[0].view(2, 37, 3, 2, 32).permute(0, 2, 3, 1, 4)
    kept = [0, *range(5, 37)]  # no registers
    torch.testing.assert_close(out.attention, parts[:, :, :, kept])
    only = encoder(images, tokens=('inner', ))
    torch.testing.assert_close(only.inner, inner)
    assert only.image is None and only.final is None


@torch.no_grad()
def test_hidden_patches_do_not_enter():
    """What stands in them changes nothing, and 0 is not an exception."""
    encoder = small('vit_tiny_patch16_224')
    images = torch.randn(2, 3, 64, 32)
    mask = torch.tensor([[True, False] * 4, [False, True] * 4])
    out = encoder(images, mask, ('image', 'inner', 'final'))
    assert out.inner.shape == out.final.shape == (2, 4, 64)
    hidden = mask.view(2, 1, 4, 2).repeat_interleave(16, 2)
    hidden = hidden.repeat_interleave(16, 3)
    other = encoder(
        images.masked_fill(hidden, 7.), mask, ('image', 'inner', 'final'))
    for ours, theirs in zip(out[:3], other[:3]):
        torch.testing.assert_close(ours, theirs)
    whole = encoder(images, tokens=('inner', )).inner
    assert (whole[:1, 1::2] - out.inner[:1]).abs().max() > 1e-3


@torch.no_grad()
@pytest.mark.parametrize('name', ['vit_small_patch16_dinov3'])
def test_elsewhere_hidden_patches_show_the_mean(name):
    encoder = small(name)
    images = torch.randn(2, 3, 64, 32)
    mask = torch.tensor([[True, False] * 4] * 2)
    out = encoder(images, mask, ('image', 'inner', 'final'))
    hidden = mask.view(2, 1, 4, 2).repeat_interleave(16, 2)
    grey = images.masked_fill(hidden.repeat_interleave(16, 3), 0.)
    whole = encoder(grey, tokens=('image', 'inner', 'final'))
    torch.testing.assert_close(out.inner, whole.inner[:, 1::2])
    torch.testing.assert_close(out.image, whole.image)
    with pytest.raises(ValueError, match='leave the attention term out'):
        encoder(images, tokens=('attention', ))


@torch.no_grad()
@pytest.mark.parametrize('name, source', [
    ('vit_tiny_patch16_224', 'class'),
    ('vit_base_patch16_siglip_224', 'pool'),
    ('vit_base_patch16_rpn_224', 'mean'),
])
def test_image_tokens_by_default(name, source):
    encoder = small(name)
    assert encoder.image_source == source
    images = torch.randn(1, 3, 64, 32)
    out = encoder(images, tokens=('image', 'final'))
    if source == 'pool':
        wanted = encoder.backbone.attn_pool(out.final)
        torch.testing.assert_close(out.image, wanted)
    if source == 'mean':
        torch.testing.assert_close(out.image, out.final.mean(1))


@torch.no_grad()
def test_blocks_behind_the_last_wanted_are_not_there():
    encoder = small('vit_tiny_patch16_224', out_index=1, final_norm=False)
    whole = small('vit_tiny_patch16_224')
    assert len(encoder.backbone.blocks) == 2
    images = torch.randn(1, 3, 64, 32)
    _, (inner, ) = whole.backbone.forward_intermediates(
        images, indices=[1], output_fmt='NLC')
    out = encoder(images, tokens=('final', 'inner'))
    torch.testing.assert_close(out.inner, inner)
    torch.testing.assert_close(out.final, F.layer_norm(inner, (64, )))
    for wrong, error in ((dict(out_index=3), 'out_index 3 is outside the 3'),
                         (dict(out_index=1, patch_index=2), 'the 2 blocks')):
        with pytest.raises(ValueError, match=error):
            small('vit_tiny_patch16_224', **wrong)


@pytest.fixture
def saved(tmp_path):
    """A file and a folder of a small CLIP, and the model."""
    torch.manual_seed(1)
    arguments = dict(embed_dim=64, depth=3, num_heads=2, img_size=32)
    model = timm.create_model(
        'vit_base_patch16_clip_224.openai', num_classes=0, **arguments)
    folder = tmp_path / 'clip'
    folder.mkdir()
    save_file(model.state_dict(), folder / 'model.safetensors')
    config = dict(
        architecture='vit_base_patch16_clip_224',
        num_classes=0,
        model_args=arguments,
        pretrained_cfg=dict(mean=[.5, .4, .3], std=[.2, .2, .1]))
    (folder / 'config.json').write_text(json.dumps(config))
    file = tmp_path / 'clip.pth'
    torch.save(
        dict(model.state_dict(), **{'head.weight': torch.ones(9, 64)}), file)
    return folder, file, model, arguments


@torch.no_grad()
def test_a_folder_and_a_file_are_the_same_expert(saved):
    folder, file, model, arguments = saved
    by_folder = FrozenExpert(dict(type='TimmEncoder', model_name=str(folder)))
    by_file = FrozenExpert(
        dict(
            type='TimmEncoder',
            model_name='vit_base_patch16_clip_224.openai',
            checkpoint=str(file),
            **arguments))
    images = torch.randn(1, 3, 32, 32)
    wanted = model.eval().forward_features(images)[:, 0]
    for expert, mean in ((by_folder, 127.5), (by_file, 0.48145466 * 255)):
        out = expert.encoder.extract(images)
        torch.testing.assert_close(
            out, F.layer_norm(wanted, (64, )), atol=1e-4, rtol=1e-4)
        assert expert.own_statistics[0][0] == pytest.approx(mean)
        assert len(expert.source['sha256']) == 64
    assert by_file.source['file'] == str(file)
    assert by_folder.source['file'] == str(folder / 'model.safetensors')


def test_what_is_not_to_be_had_is_told(saved, tmp_path):
    folder, file, _, arguments = saved
    clip, siglip = 'vit_base_patch16_clip_224', 'vit_base_patch16_siglip_224'
    for wrong, error in (
        (dict(model_name='vit_of_mine'), "no model 'vit_of_mine'"),
        (dict(model_name='starnet_s3'), 'StrideMapBackbone'),
        (dict(arguments, model_name=clip, checkpoint=str(file),
              depth=2), 'clip.pth does not fit.*unexpected: blocks.2'),
        (dict(arguments, model_name=clip, checkpoint=str(file),
              embed_dim=32), 'clip.pth'),
        (dict(
            arguments,
            model_name='vit_base_patch14_dinov2',
            checkpoint=str(file)), 'clip.pth'),
        (dict(SMALL, model_name=clip, image_source='max'), "source 'max'"),
        (dict(SMALL, model_name=siglip, image_source='class'), 'image_source'),
    ):
        with pytest.raises(ValueError, match=error):
            TimmEncoder(**wrong)
    (folder / 'model.safetensors').unlink()
    with pytest.raises(FileNotFoundError, match='no weights, one of'):
        TimmEncoder(str(folder))
    with pytest.raises(FileNotFoundError, match='no config.json'):
        TimmEncoder(str(tmp_path))
    with pytest.raises(ValueError, match='64x30 are not divisible by the 16'):
        small('vit_tiny_patch16_224')(torch.zeros(1, 3, 64, 30))
