import pytest
import torch

from saip_mm.models import PixelDecoder
from saip_mm.models.necks.pixel_decoder import MultiheadAttention


@pytest.mark.parametrize('own', [True, False])
def test_attention_equals_the_explicit_product(own):
    torch.manual_seed(0)
    layer = MultiheadAttention(6, 2).double()
    norm = torch.nn.LayerNorm(6).double()
    query = torch.randn(2, 4, 6, dtype=torch.float64)
    context = None if own else torch.randn(2, 5, 6, dtype=torch.float64)
    q = layer.query(norm(query))
    k, v = layer.key_value(norm(query) if own else context).chunk(2, -1)
    heads = []
    for h in (slice(0, 3), slice(3, 6)):
        scores = q[..., h] @ k[..., h].transpose(1, 2) / 3**0.5
        heads.append(scores.softmax(-1) @ v[..., h])
    expected = layer.proj(torch.cat(heads, -1))
    torch.testing.assert_close(layer(query, norm, context), expected)


def test_query_reads_the_context_and_its_places():
    torch.manual_seed(0)
    decoder = PixelDecoder(6, 10, dims=8, depth=2, num_heads=2).eval()
    query, context = torch.randn(1, 3, 8), torch.randn(1, 4, 10)
    out = decoder(query, context, (2, 2))
    assert out.shape == (1, 3, 8)
    assert not torch.allclose(decoder(query, context * 2, (2, 2)), out)
    # the same tokens in other places mean something else
    assert not torch.allclose(decoder(query, context.flip(1), (2, 2)), out)
    assert not torch.allclose(decoder(query, context, (4, 1)), out)


def test_queries_side_by_side_do_not_see_each_other():
    torch.manual_seed(0)
    decoder = PixelDecoder(6, 10, dims=8, depth=2, num_heads=2).double()
    queries = [torch.randn(2, n, 8, dtype=torch.float64) for n in (3, 5, 1)]
    context = torch.randn(2, 4, 10, dtype=torch.float64)
    together = decoder(
        torch.cat(queries, 1), context, (2, 2), lengths=[3, 5, 1])
    for found, query in zip(together.split([3, 5, 1], 1), queries):
        torch.testing.assert_close(found, decoder(query, context, (2, 2)))
