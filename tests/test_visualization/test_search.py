import numpy as np
import pytest
import torch

from saip_mm.visualization import draw
from saip_mm.visualization.search import _overlay
from ..test_models.tiny_saip import build
from .test_draw import samples


def test_what_a_map_leaves_out_is_dark():
    pictures = np.full((1, 4, 6, 3), 200, np.uint8)
    cells = torch.tensor([[1., 0., 0.5, 0., 1., 0.]])  # 2 rows of 3
    shown = _overlay(pictures, cells, 2)
    levels = [[200, 30, 115], [30, 200, 30]]  # 200 * (0.15 + 0.85 * share)
    for row in range(2):
        for column in range(3):
            cell = shown[0, 2 * row:2 * row + 2, 2 * column:2 * column + 2]
            assert np.abs(cell.astype(int) - levels[row][column]).max() <= 1


def test_what_is_searched_and_found(monkeypatch):
    """By a head that is sure of the upper half of the canvas."""
    model = build('vit')
    head = model.heads['css']

    def upper_half(persons, canvas):
        logits = torch.full((len(persons), 1, 16), -100.)
        logits[..., :8] = 100.
        return logits

    monkeypatch.setattr(head, 'search', upper_half)
    picture = draw('search', model, samples(1)).astype(int)
    torch.manual_seed(0)
    data = torch.utils.data.default_collate(samples(1))
    views = model.data_preprocessor(data)['views']
    canvas, person = (views.images[n][0] for n in ('canvas', 'scale_1'))
    plain = torch.stack(
        [((c * s + m) * 255).round().clamp(0, 255)
         for c, m, s in zip(canvas, model.data_preprocessor.mean,
                            model.data_preprocessor.std)], -1).int().numpy()
    # columns: canvas, then person, target, found of each scale
    left = 64 + 4 + max(person.shape[-1], 8 * 7) + 4
    target = picture[16:80, left:left + 64]
    left += max(64, 8 * len('scale_1 target')) + 4
    found = picture[16:80, left:left + 64]
    assert np.abs(found[:32] - plain[:32]).max() <= 1
    assert np.abs(found[32:] - 0.15 * plain[32:]).max() <= 1
    x1, y1, x2, y2 = views.boxes['scale_1'][0].tolist()
    inside = np.zeros((64, 64), bool)
    inside[y1 // 16 * 16:-(-y2 // 16) * 16,
           x1 // 16 * 16:-(-x2 // 16) * 16] = True
    assert np.abs(target[~inside] - 0.15 * plain[~inside]).max() <= 1
    assert (target[inside] >= 0.15 * plain[inside] - 1).all()
    assert np.abs(target[inside] - 0.15 * plain[inside]).max() > 20


def test_a_model_that_does_not_search_is_named():
    with pytest.raises(ValueError, match='no head of .* searches'):
        draw('search', build('vit', ('css', )), samples())
