import numpy as np
import pytest
import torch

from saip_mm.visualization import DRAWINGS, draw, grid, to_pixels
from ..test_models.tiny_saip import batch_of_crops, build, saip_config


def samples(count=3):
    inputs = batch_of_crops(count)['inputs']
    return [
        dict(inputs={
            k: v[i]
            for k, v in inputs.items()
        }) for i in range(count)
    ]


def test_pixels_come_back_from_normalised_values():
    pixels = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    shape = (3, 1, 1)
    values = (pixels / 255 -
              torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
    found = to_pixels(values, mean, std)
    assert np.array_equal(found, pixels.permute(0, 2, 3, 1).numpy())


def test_grid_keeps_every_picture_in_its_place():
    red = np.full((2, 8, 6, 3), (255, 0, 0), np.uint8)
    blue = np.full((2, 4, 4, 3), (0, 0, 255), np.uint8)
    sheet = grid(dict(a=red, b=blue))
    assert ((sheet == (255, 0, 0)).all(-1)).sum() == 2 * 8 * 6
    assert ((sheet == (0, 0, 255)).all(-1)).sum() == 2 * 4 * 4


@pytest.mark.parametrize('what', DRAWINGS)
def test_drawings_repeat_and_hold_three_rows(what):
    model = build('vit')
    picture = draw(what, model, samples())
    assert picture.dtype == np.uint8 and picture.ndim == 3
    assert np.array_equal(picture, draw(what, model, samples()))
    assert not np.array_equal(picture, draw(what, model, samples(), seed=1))


def test_search_by_the_anchor_is_drawn():
    config = saip_config('vit')
    config['heads']['css']['query'] = 'anchor'
    model = build('vit', heads=config['heads'])
    picture = draw('search', model, samples())
    # canvas 64 wide, then anchor, its target and what was found
    widths = (64, 48, max(64, 8 * len('anchor target')),
              max(64, 8 * len('anchor found')))
    assert picture.shape[1] == sum(widths) + 4 * len(widths)


def test_views_show_the_pixels_the_model_gets():
    model = build('vit')
    picture = draw('views', model, samples(1))
    torch.manual_seed(0)
    model.train(False)
    data = torch.utils.data.default_collate(samples(1))
    views = model.data_preprocessor(data)['views']
    anchor = to_pixels(views.images['anchor'], model.data_preprocessor.mean,
                       model.data_preprocessor.std)[0]
    assert np.array_equal(picture[16:16 + 64, :32], anchor)


def test_a_perfect_prediction_shows_the_original(monkeypatch):
    from saip_mm.models.losses import patchify
    model = build('vit')
    head = model.heads['csr']
    seen = {}

    def know_all(visible, mask, anchor):
        patches = patchify(seen['views'].images[seen['name']])
        mean = patches.mean(-1, keepdim=True)
        return (patches - mean) / (patches.var(-1, keepdim=True) + 1e-6).sqrt()

    draw_masked = head.draw_masked

    def spy(views):
        name, mask = draw_masked(views)
        seen.update(views=views, name=name)
        return name, mask

    monkeypatch.setattr(head, 'draw_masked', spy)
    monkeypatch.setattr(head, 'reconstruct', know_all)
    picture = draw('reconstruction', model, samples(1))
    height, width = seen['views'].images[seen['name']].shape[-2:]
    # columns: anchor 32 wide (title 48), masked, predicted, original
    left = [max(32, 8 * len('anchor')) + 4]
    left.append(left[0] + max(width, 8 * len('masked')) + 4)
    left.append(left[1] + max(width, 8 * len('predicted, true mean')) + 4)
    predicted = picture[16:16 + height, left[1]:left[1] + width]
    original = picture[16:16 + height, left[2]:left[2] + width]
    assert np.abs(predicted.astype(int) - original.astype(int)).max() <= 1


def test_switched_off_objective_is_named():
    model = build('vit', ('csr', ))
    with pytest.raises(ValueError, match="no 'csr' head"):
        draw('reconstruction', model, samples())
