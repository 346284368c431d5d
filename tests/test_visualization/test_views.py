import numpy as np
import torch

from saip_mm.models import Views
from saip_mm.visualization import draw, draw_views, to_pixels
from saip_mm.visualization.views import COLOURS, draw_boxes
from ..test_models.tiny_saip import build
from .test_draw import samples


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


def boxes(*corners):
    return torch.tensor([list(c) for c in corners])


def test_boxes_are_drawn_with_their_far_edge_left_out():
    """A box of 3x5 pixels is a ring of twelve."""
    canvas = np.zeros((1, 12, 16, 3), np.uint8)
    views = Views({}, dict(scale_1=boxes((2, 3, 5, 8))))
    drawn = draw_boxes(canvas, views)
    assert (canvas == 0).all()
    ring = (drawn[0] == COLOURS[0]).all(-1)
    expected = np.zeros((12, 16), bool)
    expected[3:8, 2:5] = True
    expected[4:7, 3] = False
    assert np.array_equal(ring, expected)


def test_colours_begin_anew_after_the_last():
    canvas = np.zeros((2, 8, 80, 3), np.uint8)
    views = Views({}, {
        f'scale_{i}': boxes(*2 * [(10 * i, 0, 10 * i + 8, 8)])
        for i in range(6)
    })
    drawn = draw_boxes(canvas, views)
    for i in range(6):
        assert (drawn[:, 0, 10 * i] == COLOURS[i % len(COLOURS)]).all()


def test_every_view_has_a_column_and_the_canvas_its_boxes():
    model = build('vit')
    names = ('anchor', 'local_1', 'canvas')
    images = dict.fromkeys(names, torch.zeros(2, 3, 16, 64))
    given = boxes((1, 1, 9, 9), (3, 3, 9, 9))
    sheet = draw_views(model, Views(images, dict(scale_1=given)))
    assert sheet.shape == (16 + 2 * 20, 3 * 68, 3)
    marked = (sheet == COLOURS[0]).all(-1)
    assert not marked[:, :136].any()
    assert marked[16 + 1, 136 + 1] and marked[16 + 20 + 3, 136 + 3]
    del images['canvas']
    assert draw_views(model, Views(images)).shape == (56, 136, 3)


def test_known_keypoints_are_dots_in_their_view():
    model = build('vit')
    images = dict.fromkeys(('anchor', 'clean'), torch.zeros(1, 3, 16, 64))
    points = torch.tensor([[[5., 9., 1.], [40., 3., 0.]]])
    sheet = draw_views(model, Views(images, keypoints=dict(clean=points)))
    rows, columns = (sheet == COLOURS[2]).all(-1).nonzero()
    # a cross of five pixels in the second column, 68 wide each, under titles
    assert sorted(zip(rows - 16, columns - 68)) == [(8, 5), (9, 4), (9, 5),
                                                    (9, 6), (10, 5)]
