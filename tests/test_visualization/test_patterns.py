import numpy as np
import pytest
import torch

from saip_mm.models.encoders import cell_maps
from saip_mm.visualization import PatternRow, draw_patterns
from saip_mm.visualization.patterns import (LONGEST, attention_map, cells_in,
                                            overlay, similarity_map,
                                            told_apart)
from ..test_models.test_encoders.test_base import encoder
from ..test_models.tiny_saip import VIT

IMAGES = torch.randn(2, 3, 96, 48, generator=torch.Generator().manual_seed(0))


def test_similarity_of_each_cell():
    generator = torch.Generator().manual_seed(0)
    cells = torch.randn(5, 3, 2, generator=generator)
    reference = torch.randn(5, generator=generator)
    found = similarity_map(cells, reference)
    for row in range(3):
        for column in range(2):
            one = cells[:, row, column].double()
            cosine = one @ reference.double() / one.norm() / reference.norm()
            assert found[row, column] == pytest.approx(float(cosine), abs=1e-6)


@torch.no_grad()
def test_attention_is_that_of_the_class_token():
    """Step by step, by the blocks' own weights in float64."""
    model = encoder('vit').train(False)
    found = attention_map(model, IMAGES)
    assert found.shape == (2, 6, 3)
    backbone = model.backbone.double()
    x, _ = backbone.embed(IMAGES.double())
    for layer in backbone.layers[:-1]:
        x = layer(x)
    last = backbone.layers[-1]
    x = last.ln1(x)
    width, heads = x.shape[-1], last.attn.num_heads
    projected = x @ last.attn.qkv.weight.T + last.attn.qkv.bias
    each = width // heads
    for image in range(2):
        mean = 0.
        for head in range(heads):
            at = slice(head * each, (head + 1) * each)
            query = projected[image, 0, :width][at]
            keys = projected[image, :, width:2 * width][:, at]
            weights = (keys @ query / each**0.5).exp()
            mean = mean + weights / weights.sum() / heads
        expected = mean[1:] / mean[1:].sum()
        torch.testing.assert_close(
            found[image].flatten().double(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('backbone', ['starnet', 'tinyvit'])
@pytest.mark.parametrize('cells', ['final', 'inner', 'stage2'])
@torch.no_grad()
def test_share_in_the_mean_of_maps(backbone, cells):
    model = encoder(backbone).train(False)
    maps = cell_maps(model, IMAGES, cells).double()
    found = attention_map(model, IMAGES, cells)
    for one, share in zip(maps, found):
        one = one.flatten(1)
        mean = one.mean(1)
        expected = torch.stack(
            [cell @ mean / one.shape[1] / (mean @ mean) for cell in one.T])
        torch.testing.assert_close(
            share.flatten().double(), expected, rtol=1e-3, atol=1e-5)
        assert float(share.sum()) == pytest.approx(1, abs=1e-3)


def test_attention_without_a_class_token():
    model = encoder(dict(VIT, with_cls_token=False, out_type='featmap'))
    shares = attention_map(model.train(False), IMAGES)
    assert shares.shape == (2, 6, 3)
    assert shares.sum((1, 2)).tolist() == pytest.approx([1, 1], abs=1e-4)


def test_cells_by_their_centres():
    # cells of 16 pixels, centres at 8, 24, 40, 56
    found = cells_in((4, 2), (64, 32), (9, 8, 32, 41))
    assert found.int().tolist() == [[0, 1], [0, 1], [0, 1], [0, 0]]
    # of a picture of another size
    found = cells_in((4, 2), (640, 320), (90, 80, 320, 410))
    assert found.int().tolist() == [[0, 1], [0, 1], [0, 1], [0, 0]]


def test_pairs_in_the_right_order():
    generator = torch.Generator().manual_seed(0)
    inside = torch.randint(0, 9, (20, ), generator=generator).float()
    outside = torch.randint(0, 7, (15, ), generator=generator).float()
    pairs = [(a > b) + (a == b) / 2 for a in inside.tolist()
             for b in outside.tolist()]
    assert told_apart(inside, outside) == pytest.approx(np.mean(pairs))
    assert told_apart(inside + 9, outside) == 1
    assert told_apart(inside[:0], outside) is None
    assert told_apart(inside, outside[:0]) is None


def test_colours_go_from_the_least_to_the_largest():
    picture = np.full((40, 20, 3), 100, np.uint8)
    drawn = overlay(picture, torch.tensor([[5.], [7.]]))
    assert drawn.shape == picture.shape and drawn.dtype == np.uint8
    violet, yellow = drawn[0, 0].astype(int), drawn[-1, 0].astype(int)
    # viridis ends in (68, 1, 84) and (253, 231, 37)
    assert np.abs(violet - [35 + 44, 35 + 1, 35 + 55]).max() <= 2
    assert np.abs(yellow - [35 + 164, 35 + 150, 35 + 24]).max() <= 2
    flat = overlay(picture, torch.ones(2, 1))  # no range: one colour
    assert (flat == flat[0, 0]).all()


def test_layout():
    person, group = (np.full((*size, 3), value, np.uint8)
                     for size, value in (((64, 32), 10), ((50, 100), 200)))
    maps = {'a': torch.rand(4, 2), 'b': torch.rand(2, 1)}
    sheet = draw_patterns([[
        PatternRow(person, maps, text='64x32'),
        PatternRow(person[::2, ::2], maps)
    ], [PatternRow(group, maps, [(10, 10, 40, 40), (60, 0, 90, 50)])]])
    heights = [16 + 2 * (LONGEST + 4) + 12, 16 + LONGEST // 2 + 4 + 12]
    assert sheet.shape == (sum(heights), 3 * (LONGEST + 4), 3)
    assert (sheet[16 + 100, 100] == 10).all()
    assert (sheet[16 + LONGEST + 4 + 100, 100] == 10).all()  # enlarged
    top = heights[0] + 16
    assert (sheet[top + 4, 4] == 200).all()
    x, y = round(10 * LONGEST / 100), round(10 * LONGEST / 100)
    for column in range(3):
        left = column * (LONGEST + 4)
        assert (sheet[top + y, left + x:left + x + 50] == 255).all()
    # one block alone
    alone = draw_patterns([[], [PatternRow(group, maps)]])
    assert alone.shape == (heights[1], 3 * (LONGEST + 4), 3)
