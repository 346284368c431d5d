import pytest
import torch

pytest.importorskip('mmdet')

from mmcv.cnn.bricks.transformer import BaseTransformerLayer  # noqa: E402

from saip_mm.tasks.part_attributes.attention import \
    AttentionLayer  # noqa: E402


def mmcv_layer(dims, hidden, heads, kind):
    return BaseTransformerLayer(
        attn_cfgs=dict(
            type='MultiheadAttention',
            embed_dims=dims,
            num_heads=heads,
            attn_drop=0.1),
        ffn_cfgs=dict(
            type='FFN',
            embed_dims=dims,
            feedforward_channels=hidden,
            ffn_drop=0.1),
        operation_order=(kind, 'norm', 'ffn', 'norm'),
        batch_first=True)


@pytest.mark.parametrize('kind, tokens', [('self_attn', 5), ('cross_attn', 7)])
def test_same_as_mmcvs_layer(kind, tokens):
    torch.manual_seed(0)
    ours = AttentionLayer(16, 24, 4).eval()
    theirs = mmcv_layer(16, 24, 4, kind).eval()
    values = [
        dict(theirs.named_parameters())[name]
        for name in ('attentions.0.attn.in_proj_weight',
                     'attentions.0.attn.in_proj_bias',
                     'attentions.0.attn.out_proj.weight',
                     'attentions.0.attn.out_proj.bias', 'norms.0.weight',
                     'norms.0.bias', 'ffns.0.layers.0.0.weight',
                     'ffns.0.layers.0.0.bias', 'ffns.0.layers.1.weight',
                     'ffns.0.layers.1.bias', 'norms.1.weight', 'norms.1.bias')
    ]
    assert len(values) == len(list(ours.parameters()))
    with torch.no_grad():
        for own, value in zip(ours.parameters(), values):
            own.copy_(value.normal_())
        queries = torch.randn(2, 5, 16)
        seen = queries if kind == 'self_attn' else torch.randn(2, tokens, 16)
        wanted = theirs(queries, seen, seen)
        assert torch.allclose(ours(queries, seen), wanted, atol=1e-4)


@pytest.mark.parametrize('dims, hidden, count', [(128, 128, 199_168),
                                                 (256, 512, 1_054_208)])
def test_parameters_of_two(dims, hidden, count):
    layer = AttentionLayer(dims, hidden)
    assert 2 * sum(p.numel() for p in layer.parameters()) == count


def test_dropout_is_of_training():
    torch.manual_seed(0)
    layer = AttentionLayer(16, 16, 2, dropout=0.5)
    queries = torch.randn(1, 4, 16)
    assert not torch.equal(layer(queries, queries), layer(queries, queries))
    layer.eval()
    assert torch.equal(layer(queries, queries), layer(queries, queries))
