import pytest
import torch
import torch.nn.functional as F

from saip_mm.models.ops.fused_attention import fused_attention


def drawn(dtype, lengths=(7, 9, 9)):
    draw = torch.Generator().manual_seed(0)
    return [
        torch.randn(2, 3, n, 16, generator=draw).to(dtype).requires_grad_()
        for n in lengths
    ]


def reference(query, key, value):
    """softmax(q k' / sqrt(hs)) v in float64."""
    query, key, value = (t.double() for t in (query, key, value))
    weights = query @ key.transpose(-2, -1) / query.shape[-1]**0.5
    return weights.softmax(-1) @ value


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_full_precision_is_torch_own(dtype):
    inputs = drawn(dtype)
    torch.testing.assert_close(
        fused_attention(*inputs),
        F.scaled_dot_product_attention(*inputs),
        rtol=0,
        atol=0)


def test_bfloat16_values_and_gradients():
    inputs = drawn(torch.bfloat16)
    weights = torch.linspace(-1, 1, 7 * 16).view(7, 16)
    with torch.autocast('cpu', torch.bfloat16):
        out = fused_attention(*inputs)
    expected = reference(*inputs)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.double(), expected, atol=1e-2, rtol=1e-2)
    ours, theirs = (
        torch.autograd.grad((o * weights).sum(), inputs)
        for o in (out, expected))
    for our, their in zip(ours, theirs):
        assert our.dtype == torch.bfloat16
        scale = their.abs().max()
        torch.testing.assert_close(
            our / scale, their / scale, atol=2e-2, rtol=0)


def test_bfloat16_runs_in_float32_and_keeps_bfloat16(monkeypatch):
    inputs, used, kept = drawn(torch.bfloat16), [], []
    real, hooks = F.scaled_dot_product_attention, torch.autograd.graph

    def attention(*args, **kwargs):
        used.extend(t.dtype for t in args)
        return real(*args, **kwargs)

    def recording(pack, unpack, real_hooks=hooks.saved_tensors_hooks):

        def record(tensor):
            kept.append(pack(tensor))
            return kept[-1]

        return real_hooks(record, unpack)

    monkeypatch.setattr(F, 'scaled_dot_product_attention', attention)
    monkeypatch.setattr(hooks, 'saved_tensors_hooks', recording)
    fused_attention(*inputs)
    assert used == [torch.float32] * 3
    assert [t.dtype for t in kept if t.dim() == 4] == [torch.bfloat16] * 4


def test_dropout_follows_the_seed():
    inputs = drawn(torch.bfloat16)
    outs = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        outs.append(fused_attention(*inputs, dropout_p=0.5))
    assert torch.equal(outs[0], outs[1])
    assert not torch.equal(outs[0], outs[2])


def test_without_gradient():
    with torch.no_grad():
        out = fused_attention(*drawn(torch.bfloat16))
    assert out.dtype == torch.bfloat16 and not out.requires_grad
