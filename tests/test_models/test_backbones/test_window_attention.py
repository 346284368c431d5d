import copy

import pytest
import torch
import torch.nn.functional as F
from timm.models.tiny_vit import TinyVitBlock

from mmpretrain.registry import MODELS
from saip_mm.models.backbones.window_attention import trim_windows

WINDOW = 4


def blocks():
    """timm's block with biases drawn, and ours with the same parameters."""
    torch.manual_seed(0)
    parent = TinyVitBlock(8, 2, WINDOW).double().eval()
    torch.nn.init.normal_(parent.attn.attention_biases)
    ours = copy.deepcopy(parent)
    assert trim_windows(ours) == 1
    assert list(ours.state_dict()) == list(parent.state_dict())
    return parent, ours


def masked(block, x):
    """timm's block with minus infinity on the padded keys, window by window,
    head by head."""
    attn, (height, width) = block.attn, x.shape[1:3]
    out = torch.zeros_like(x)
    for top in range(0, height, WINDOW):
        for left in range(0, width, WINDOW):
            part = x[:, top:top + WINDOW, left:left + WINDOW]
            sides = part.shape[1:3]
            pad = (0, 0, 0, WINDOW - sides[1], 0, WINDOW - sides[0])
            real = F.pad(torch.ones(1, *sides, 1), pad).flatten() > 0
            tokens = attn.norm(F.pad(part, pad).flatten(1, 2))
            q, k, v = attn.qkv(tokens).unflatten(-1, (2, 3, 4)).unbind(-2)
            heads = []
            for head in range(2):
                logits = q[:, :, head] @ k[:, :, head].mT / 2
                bias = attn.attention_biases[head, attn.attention_bias_idxs]
                logits = (logits + bias).masked_fill(~real, -torch.inf)
                heads.append(logits.softmax(-1) @ v[:, :, head])
            done = attn.proj(torch.cat(heads, -1))[:, real]
            out[:, top:top + WINDOW,
                left:left + WINDOW] = done.unflatten(1, sides)
    x = x + out
    x = block.local_conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    return x + block.mlp(x)


@pytest.mark.parametrize('size', [(4, 4), (8, 4)])
def test_windows_without_padding_are_timms(size):
    parent, ours = blocks()
    x = torch.randn(2, *size, 8, dtype=torch.float64)
    torch.testing.assert_close(ours(x), parent(x))


@pytest.mark.parametrize('size', [(4, 4), (3, 2), (6, 3), (9, 5), (4, 6)])
def test_equals_a_mask_on_the_padding(size):
    parent, ours = blocks()
    x = torch.randn(2, *size, 8, dtype=torch.float64).requires_grad_()
    results = []
    for out, block in ((masked(parent, x), parent), (ours(x), ours)):
        grads = torch.autograd.grad(out.square().sum(),
                                    (x, *block.parameters()))
        results.append((out, *grads))
    for theirs, mine in zip(*results):
        torch.testing.assert_close(mine, theirs)


@torch.no_grad()
def test_a_changed_bias_counts_at_once():
    ours = blocks()[1]
    x = torch.randn(1, 6, 3, 8, dtype=torch.float64)
    before = ours(x)
    torch.nn.init.normal_(ours.attn.attention_biases)
    assert (ours(x) - before).abs().max() > 0.01


def build(name, **kwargs):
    return MODELS.build(
        dict(type='StrideMapBackbone', model_name=name, **kwargs))


@torch.no_grad()
def test_option_of_the_backbone():
    plain, trimmed = build('tiny_vit_5m_224'), build(
        'tiny_vit_5m_224', mask_padding=True)
    trimmed.load_state_dict(plain.state_dict())
    small, whole = torch.randn(2, 3, 96, 48), torch.randn(1, 3, 224, 224)
    for a, b in zip(plain.eval()(whole), trimmed.eval()(whole)):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
    assert (plain(small)[3] - trimmed(small)[3]).abs().max() > 1e-3
    with pytest.raises(ValueError, match='starnet_s3 has no windows'):
        build('starnet_s3', mask_padding=True)
