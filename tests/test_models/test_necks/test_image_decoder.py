import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from saip_mm.models import AlignmentDecoder, ImageDecoder


def restate(decoder, x):
    """DINO's head in float64: MLP, L2 norm, weight-normed linear with g 1."""
    x = x.double()
    linears = [m for m in decoder.mlp if isinstance(m, nn.Linear)]
    for i, linear in enumerate(linears):
        if i:
            x = nn.functional.gelu(x)
        x = x @ linear.weight.double().T + linear.bias.double()
    x = x / x.norm(dim=-1, keepdim=True)
    last = weight_norm(nn.Linear(x.shape[1], decoder.out_dims, False).double())
    with torch.no_grad():
        parts = last.parametrizations.weight
        parts.original0.fill_(1)
        parts.original1.copy_(decoder.prototypes.weight)
    return last(x)


def test_equals_dinos_head():
    torch.manual_seed(0)
    decoder = ImageDecoder(
        6, hidden_dims=10, bottleneck_dims=4, num_prototypes=9)
    x = torch.randn(5, 6)
    out = decoder(x)
    torch.testing.assert_close(
        out.double(), restate(decoder, x), atol=1e-5, rtol=1e-4)
    assert out.abs().max() <= 1


def test_default_sizes_are_dinos():
    # 192 -> 2048 -> 2048 -> 256 -> 65 536 (spec: 5.12 M + 16.78 M)
    decoder = ImageDecoder(192)
    mlp = sum(p.numel() for p in decoder.mlp.parameters())
    assert mlp == 192 * 2048 + 2048 + 2048**2 + 2048 + 2048 * 256 + 256
    assert decoder.prototypes.weight.numel() == 256 * 65536


def test_default_sizes_of_the_alignment():
    linear = [
        tuple(p.shape) for p in AlignmentDecoder(192, 768).parameters()
        if p.ndim == 2
    ]
    assert linear == [(2048, 192), (2048, 2048), (256, 2048), (768, 256)]


def test_alignment_gives_the_experts_width():
    decoder = AlignmentDecoder(6, 12, hidden_dims=10, bottleneck_dims=4)
    out = decoder(torch.randn(5, 6))
    assert out.shape == (5, 12) and decoder.prototypes is None
    torch.testing.assert_close(out.mean(-1), torch.zeros(5), atol=1e-5, rtol=0)
