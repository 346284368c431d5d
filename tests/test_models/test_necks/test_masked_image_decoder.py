import pytest
import torch

from saip_mm.models.necks import MaskedImageDecoder
from saip_mm.models.sincos import sincos_positions


def decoder():
    torch.manual_seed(0)
    return MaskedImageDecoder(12, 48, dims=16, depth=2, num_heads=2).eval()


def restated(model, visible, image, mask, grid):
    """Token by token, as MAE puts them back into their places."""
    table = sincos_positions(grid, 16)[0]
    rows = []
    for seen, hidden, whole in zip(visible, mask.tolist(), image):
        places, row = iter(seen), [model.project(whole)]
        for position, is_hidden in zip(table, hidden):
            token = (
                model.mask_token[0, 0] if is_hidden else model.project(
                    next(places)))
            row.append(token + position)
        rows.append(torch.stack(row))
    x = torch.stack(rows)
    for block in model.blocks:
        x = x + block.attn(block.ln1(x))
        x = block.ffn(block.ln2(x), identity=x)
    return model.to_patch(model.norm(x))[:, 1:]


@pytest.mark.parametrize('grid', [(4, 2), (2, 4), (3, 3)])
def test_equals_a_loop(grid):
    model, length = decoder(), grid[0] * grid[1]
    mask = torch.rand(3, length).argsort(1) < length // 2
    visible = torch.randn(3, length - length // 2, 12)
    image = torch.randn(3, 12)
    torch.testing.assert_close(
        model(visible, image, mask, grid),
        restated(model, visible, image, mask, grid))


def test_starts_as_mae_does():
    model = decoder()
    assert all((m.bias == 0).all() for m in model.modules()
               if isinstance(m, torch.nn.Linear))
    bound = (6 / (12 + 16))**0.5
    assert 0.8 * bound < model.project.weight.abs().max() <= bound
    model.init_weights()  # as mmengine calls it again
    assert 0.01 < model.mask_token.std() < 0.04


def test_default_sizes_are_maes():
    """8 blocks 512 wide with 16 heads, and hidden layers of 4 widths."""
    model = MaskedImageDecoder(192, 768)
    assert model.mask_token.shape == (1, 1, 512) and len(model.blocks) == 8
    for block in model.blocks:
        assert block.attn.num_heads == 16
        assert block.ffn.layers[0][0].weight.shape == (4 * 512, 512)
    assert model.to_patch.weight.shape == (768, 512)


def test_a_second_start_draws_nothing():
    """A model's init_weights finds it started, and passes it over."""
    model = decoder()
    assert model.is_init
    assert abs(model.mask_token.std() - 0.02) < 0.015
    assert (model.to_patch.bias == 0).all()
