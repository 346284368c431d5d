import numpy as np
import pytest
import torch

from saip_mm.visualization import grid, to_pixels
from saip_mm.visualization.sheet import head_that, pixels_of
from ..test_models.tiny_saip import build


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


def test_values_outside_the_range_are_cut_off():
    values = torch.tensor([-1., 0.5 / 255 - 1e-3, 0.5, 2.]).view(1, 1, 2, 2)
    found = to_pixels(values.expand(1, 3, 2, 2), (0., 0., 0.), (1., 1., 1.))
    assert found[0, ..., 2].tolist() == [[0, 0], [128, 255]]


def test_rows_columns_and_titles_have_their_places():
    """A title of 5 letters takes 40 pixels, gaps take 4, titles 16."""
    tall = np.zeros((2, 10, 6, 3), np.uint8)
    wide = np.full((2, 4, 50, 3), 9, np.uint8)
    sheet = grid(dict(total=tall, b=wide))
    assert sheet.shape == (16 + 2 * 14, 40 + 4 + 50 + 4, 3)
    for top in (16, 30):
        assert (sheet[top:top + 10, :6] == 0).all()
        assert (sheet[top:top + 4, 44:94] == 9).all()
        assert (sheet[top + 4:top + 14, 44:] == 255).all()
    assert (sheet[16:, 6:44] == 255).all()
    assert (sheet[:16, :40] < 128).any() and (sheet[:16, 44:52] < 128).any()


def test_views_are_shown_by_the_preprocessors_statistics():
    model = build(
        'vit',
        data_preprocessor=dict(
            mean=(51., 102., 153.),
            std=(51., 51., 102.),
            scale_range=(0.5, 1.5),
            canvas=dict(size=(64, 64))))
    image = torch.tensor([0., 1., 1.]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    assert (pixels_of(model, image) == (51, 153, 255)).all()


def test_a_head_that_is_not_there_is_named():
    model = build('vit', ('css', ))
    assert head_that(model, 'predict') == ('csr', model.heads['csr'])
    with pytest.raises(
            ValueError, match=r"no head of \['csm', 'csr'\] searches"):
        head_that(model, 'search')
