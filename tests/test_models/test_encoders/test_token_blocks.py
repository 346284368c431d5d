"""Transformer blocks behind a map: the students of SAIP* that have maps."""
import pytest
import torch

from mmpretrain.registry import MODELS
from saip_mm.models import MapEncoder, TokenBlocks
from ..tiny_saip import STARNET, VIT

WISHES = ('image', 'inner', 'final', 'attention')


@pytest.mark.parametrize('backbone, entry, count', [
    (dict(model_name='starnet_s3', last_norm=True), 'linear', 6_433_440),
    (dict(model_name='tiny_vit_5m_224'), 'neck', 6_355_028),
])
def test_parameters_are_those_of_the_authors_students(backbone, entry, count):
    backbone = dict(type='StrideMapBackbone', last_stride=1, **backbone)
    encoder = MapEncoder(backbone, blocks=dict(entry=entry))
    found = sum(p.numel() for n, p in encoder.named_parameters()
                if not n.startswith('patch_norm.'))
    assert found == count
    assert (encoder.dims.image, encoder.dims.final) == (192, 192)


def encoder_of(**blocks):
    torch.manual_seed(0)
    return MapEncoder(
        STARNET | dict(last_stride=1),
        blocks=dict(dims=24, num_heads=(2, 4)) | blocks).eval()


@torch.no_grad()
@pytest.mark.parametrize('entry', ['linear', 'neck'])
def test_tokens_are_a_restatement(entry):
    encoder = encoder_of(entry=entry)
    images = torch.randn(2, 3, 64, 32)
    out = encoder(images, tokens=WISHES)
    blocks, last = encoder.blocks, encoder.backbone(images)[-1]
    x = last.flatten(2).transpose(1, 2)
    if entry == 'linear':
        x = blocks.entry(x)
    else:
        x = blocks.entry(last).flatten(2).transpose(1, 2)
    x = torch.cat((blocks.cls_token.expand(2, -1, -1), x), 1)
    x = blocks.layers[0](x)
    layer = blocks.layers[1]
    normed, weight = layer.ln1(x), layer.attn.qkv.weight
    for i, part in enumerate('qkv'):
        wanted = normed @ weight[24 * i:24 * (i + 1)].T
        wanted = wanted.view(2, -1, 4, 6).transpose(1, 2)
        torch.testing.assert_close(
            out.attention[:, i], wanted, msg=part, atol=1e-5, rtol=1e-4)
    x = blocks.norm(layer(x))
    torch.testing.assert_close(out.image, x[:, 0])
    torch.testing.assert_close(out.final, x[:, 1:])
    assert out.inner.shape == (2, 8, 32) and out.grid == (4, 2)


def test_everything_gets_a_gradient():
    encoder = encoder_of().train()
    encoder.freeze_unreached(WISHES)
    out = encoder(torch.randn(2, 3, 64, 32), tokens=WISHES)
    sum(getattr(out, name).square().sum() for name in WISHES).backward()
    for name, param in encoder.named_parameters():
        assert not param.requires_grad or param.grad is not None, name


def test_without_blocks_there_is_no_attention():
    encoder = MapEncoder(STARNET)
    with pytest.raises(ValueError, match=r'blocks=dict\( *\)'):
        encoder(torch.zeros(2, 3, 64, 32), tokens=('attention', ))
    with pytest.raises(ValueError, match="entry 'conv' of blocks"):
        TokenBlocks(8, 24, (2, 4), entry='conv')
    with pytest.raises(ValueError, match='must all divide their width, 20'):
        TokenBlocks(8, 20, (4, 12))


@torch.no_grad()
def test_attention_of_a_plain_transformer_is_its_last_blocks():
    torch.manual_seed(0)
    backbone = VIT | dict(num_heads=2, last_block_heads=4)
    encoder = MODELS.build(
        dict(type='PersonEncoder', backbone=backbone, patch_index=1)).eval()
    images = torch.randn(2, 3, 64, 32)
    attn, seen = encoder.backbone.layers[-1].attn, []
    attn.qkv.register_forward_hook(lambda m, args, out: seen.append(out))
    out = encoder(images, tokens=('image', 'final', 'attention'))
    assert out.attention.shape == (2, 3, 4, 9, 4)
    one = seen[0].view(2, 9, 3, 4, 4).permute(2, 0, 3, 1, 4)
    torch.testing.assert_close(out.attention.transpose(0, 1), one)
    mask = torch.tensor([[True] * 6 + [False] * 2] * 2)
    out = encoder(images, mask, ('attention', ))
    assert out.attention.shape[3] == 3


@torch.no_grad()
def test_an_image_token_can_be_the_mean():
    torch.manual_seed(0)
    backbone = VIT | dict(with_cls_token=False, out_type='featmap')
    build = dict(type='PersonEncoder', backbone=backbone, patch_index=1)
    encoder = MODELS.build(build | dict(image_source='mean')).eval()
    out = encoder(torch.randn(2, 3, 64, 32), tokens=('image', 'final'))
    torch.testing.assert_close(out.image, out.final.mean(1))
    assert encoder(torch.randn(2, 3, 64, 32), tokens=('image', )).final is None
    with pytest.raises(ValueError, match="image_source 'max' is unknown"):
        MODELS.build(build | dict(image_source='max'))
    with pytest.raises(ValueError, match="or image_source='mean'"):
        MODELS.build(build)(torch.zeros(1, 3, 64, 32))
