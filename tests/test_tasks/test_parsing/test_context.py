import pytest
import torch
import torch.nn.functional as F

from saip_mm.tasks.parsing.context import ParallelContext, PooledNonLocal


def test_branches_by_hand():
    torch.manual_seed(0)
    block = ParallelContext(3, 4, 5, dilations=(2, 3))
    x = torch.randn(2, 3, 8, 8)

    def conv(module, value, **kwargs):
        return F.relu(
            F.conv2d(value, module.conv.weight, module.conv.bias, **kwargs))

    mean = x.mean((2, 3), keepdim=True)
    wanted = torch.cat([
        conv(block.point, x),
        conv(block.dilated[0], x, padding=2, dilation=2),
        conv(block.dilated[1], x, padding=3, dilation=3),
        conv(block.average, mean).repeat(1, 1, 8, 8)
    ], 1)  # yapf: disable
    assert torch.allclose(block(x), conv(block.join, wanted), atol=1e-6)


def test_attention_by_loops():
    torch.manual_seed(0)
    block = PooledNonLocal(32)
    block.init_weights()
    x = torch.randn(2, 32, 4, 6)

    def at(layer, value):
        return layer.weight[:, :, 0, 0] @ value + layer.bias

    wanted = torch.zeros_like(x)
    for n in range(2):
        pooled = [
            x[n, :, i:i + 2, j:j + 2].amax((1, 2)) for i in (0, 2)
            for j in (0, 2, 4)
        ]
        for i in range(4):
            for j in range(6):
                query = at(block.query, x[n, :, i, j])
                scores = torch.stack(
                    [query @ at(block.key, p) / 32**0.5 for p in pooled])
                seen = sum(w * at(block.value, p)
                           for w, p in zip(scores.softmax(0), pooled))
                wanted[n, :, i, j] = at(block.out, seen)
    wanted = x + F.group_norm(wanted, 32, block.norm.weight, block.norm.bias)
    assert torch.allclose(block(x), wanted, atol=1e-4)


def test_start():
    block = PooledNonLocal(64)
    block.init_weights()
    for layer in (block.query, block.key, block.value, block.out):
        assert layer.weight.detach().std() == pytest.approx(0.01, rel=0.1)
        assert not layer.bias.any()
