import pytest
import torch
import torch.nn.functional as F
from torch import nn

from saip_mm.models.ops import recompute
from saip_mm.models.ops.recompute import norm_feed_forward, norm_linear

ROWS, WIDTH, HIDDEN, OUT = (2, 3), 6, 8, 5


def parts(kind, bias=True):
    """Ours, the plain modules, and the parameters of both."""
    torch.manual_seed(0)
    norm = nn.LayerNorm(WIDTH)
    nn.init.normal_(norm.weight), nn.init.normal_(norm.bias)
    if kind == 'linear':
        linear = nn.Linear(WIDTH, OUT, bias=bias)
        plain = nn.Sequential(norm, linear)

        def light(x):
            return norm_linear(x, norm, linear.weight, linear.bias)
    else:
        first, second = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, OUT)
        plain = nn.Sequential(norm, first, nn.GELU(), second)

        def light(x):
            return norm_feed_forward(x, norm, first, second)

    return light, plain


def tokens(**kwargs):
    return torch.randn(*ROWS, WIDTH, requires_grad=True, **kwargs)


def test_parts_equal_the_whole(monkeypatch):
    light, plain = parts('feed forward')
    x, grads = tokens(), []
    for values in (HIDDEN, 4 * HIDDEN, 10**6):  # 1, 4 and all 6 rows
        monkeypatch.setattr(recompute, 'CACHED_VALUES',
                            values / torch.get_num_threads())
        out = light(x)
        grads.append((out, *torch.autograd.grad(out.square().sum(),
                                                (x, *plain.parameters()))))
    for some in zip(*grads):
        torch.testing.assert_close(some[0], some[2])
        torch.testing.assert_close(some[1], some[2])


@pytest.mark.parametrize('kind, bias', [('linear', True), ('linear', False),
                                        ('feed forward', True)])
def test_values_and_gradients_are_the_modules(kind, bias):
    light, plain = parts(kind, bias)
    plain.double()
    x = tokens(dtype=torch.float64)
    assert torch.autograd.gradcheck(light, x)
    grads = [
        torch.autograd.grad(f(x).square().sum(), (x, *plain.parameters()))
        for f in (light, plain)
    ]
    torch.testing.assert_close(light(x), plain(x))
    for ours, theirs in zip(*grads):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize('kind', ['linear', 'feed forward'])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_under_autocast(kind, dtype):
    light, plain = parts(kind)
    x = tokens().to(dtype).detach().requires_grad_()
    grads = []
    for f in (light, plain):
        with torch.autocast('cpu', torch.bfloat16):
            out = f(x)
        assert out.dtype == torch.bfloat16
        loss = out.float().square().sum()
        grads.append(torch.autograd.grad(loss, (x, *plain.parameters())))
    for ours, theirs, of in zip(*grads, (x, *plain.parameters())):
        assert ours.dtype == of.dtype
        # bfloat16 has 8 bits
        scale = theirs.abs().max()
        torch.testing.assert_close(
            ours / scale, theirs / scale, atol=3e-2, rtol=0)


@pytest.mark.parametrize('kind', ['linear', 'feed forward'])
def test_keeps_its_input_only(kind):
    light, plain = parts(kind)
    x, kept = tokens(), []
    known = {t.data_ptr() for t in (x, *plain.parameters())}

    def pack(tensor):
        if tensor.data_ptr() not in known:
            kept.append(tuple(tensor.shape))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        light(x)
    assert kept == []


def test_compiles():
    light, plain = parts('feed forward')
    x = tokens()
    out = torch.compile(light, backend='aot_eager')(x)
    torch.testing.assert_close(out, plain(x))
    F.mse_loss(out, torch.zeros_like(out)).backward()
    assert x.grad.isfinite().all()
