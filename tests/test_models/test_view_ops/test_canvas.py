import pytest
import torch

from saip_mm.models.view_ops import (above_distractors, cell_targets,
                                     mean_inside, paste_persons, place_persons)


@pytest.mark.parametrize('sizes', [
    [(192, 96), (192, 96), (128, 64)],
    [(96, 48)],
    [(256, 128), (256, 128)],
])
def test_persons_never_overlap_and_stay_inside(sizes):
    torch.manual_seed(0)
    boxes = place_persons(200, sizes, (256, 256))
    x1, y1, x2, y2 = boxes.unbind(-1)
    assert (x1 >= 0).all() and (x2 <= 256).all()
    assert (y1 >= 0).all() and (y2 <= 256).all()
    for i, (height, width) in enumerate(sizes):
        assert (y2[:, i] - y1[:, i] == height).all()
        assert (x2[:, i] - x1[:, i] == width).all()
        for j in range(i):
            assert ((x2[:, i] <= x1[:, j]) | (x2[:, j] <= x1[:, i])).all()


def test_every_place_is_reached():
    torch.manual_seed(0)
    boxes = place_persons(4000, [(6, 4)], (8, 8))
    assert set(boxes[:, 0, 0].tolist()) == set(range(5))
    assert set(boxes[:, 0, 1].tolist()) == set(range(3))


def test_too_many_persons_are_refused():
    with pytest.raises(ValueError, match='do not fit'):
        place_persons(1, [(192, 96)] * 3, (256, 256))


def test_pasted_pixels_are_the_blend():
    background = torch.zeros(2, 3, 8, 8)
    person = torch.ones(2, 3, 4, 2)
    boxes = torch.tensor([[[0, 0, 2, 4]], [[6, 4, 8, 8]]])
    canvas = paste_persons(background, [person], boxes, 0.7)
    inside = torch.zeros(2, 8, 8, dtype=torch.bool)
    inside[0, 0:4, 0:2] = inside[1, 4:8, 6:8] = True
    assert torch.allclose(canvas[:, 0][inside], torch.tensor(0.7))
    assert (canvas[:, 0][~inside] == 0).all()


@pytest.mark.parametrize('seed', range(5))
def test_cell_targets_equal_pixel_counts(seed):
    generator = torch.Generator().manual_seed(seed)
    x1, y1 = torch.randint(0, 40, (2, ), generator=generator).tolist()
    width, height = torch.randint(1, 24, (2, ), generator=generator).tolist()
    mask = torch.zeros(64, 64)
    mask[y1:y1 + height, x1:x1 + width] = 1
    expected = torch.tensor(
        [[mask[i:i + 16, j:j + 16].mean() for j in range(0, 64, 16)]
         for i in range(0, 64, 16)])
    box = torch.tensor([[x1, y1, x1 + width, y1 + height]])
    torch.testing.assert_close(
        cell_targets(box, (64, 64))[0], expected.flatten())


def test_indivisible_canvas_is_named():
    with pytest.raises(ValueError, match='multiple'):
        cell_targets(torch.zeros(1, 4), (250, 256))


def test_mean_inside_counts_cells_by_their_share():
    values = torch.tensor([[1., 2., 4.], [0., 8., 8.]])
    cover = torch.tensor([1., 0.5, 0.25])
    # (1 + 1 + 1) / 1.75 and (0 + 4 + 2) / 1.75
    expected = torch.tensor([3 / 1.75, 6 / 1.75])
    torch.testing.assert_close(mean_inside(values, cover), expected)


def test_a_search_must_be_above_every_distractor():
    """Two searches for the first cell, beside persons on the others."""
    response = torch.tensor([
        [[0.7, 0.2, 0.6], [0.7, 0.8, 0.1]],  # canvas 2: one is above
        [[0.3, 0.3, 0.2], [0.2, 0.1, 0.1]],  # canvas 1: a tie is none
    ])
    eye = torch.eye(3)[:, None].expand(3, 2, 3)
    right = above_distractors(response, eye[:1].expand(2, 2, 3), eye[1:])
    assert right.tolist() == [[True, False], [False, True]]
    # without the second cell's person
    right = above_distractors(response, eye[:1].expand(2, 2, 3), eye[2:])
    assert right.tolist() == [[True, True], [True, True]]
