import numpy as np
import pytest

pytest.importorskip('mmdet')

import pycocotools.mask as mask_utils  # noqa: E402

from saip_mm.tasks.part_attributes.outlines import (  # noqa: E402
    check_outline, run_length, shows_nothing, union, unpack_runs)

SQUARE = [2, 1, 5, 1, 5, 4, 2, 4]
OTHER = [7, 5, 9, 5, 9, 7, 7, 7]


def decoded(outline, size=(8, 10)):
    return mask_utils.decode(run_length(outline, *size))


def drawn(*boxes):
    mask = np.zeros((8, 10), np.uint8)
    for x1, y1, x2, y2 in boxes:
        mask[y1:y2, x1:x2] = 1
    return mask


def test_polygons_are_joined():
    assert (decoded([SQUARE, OTHER]) == drawn((2, 1, 5, 4),
                                              (7, 5, 9, 7))).all()


def test_lines_and_odd_numbers_are_no_polygons():
    """pycocotools would take four numbers for a box."""
    assert not decoded([[2, 1, 5, 4]]).any()
    assert (decoded([[2, 1, 5, 4], SQUARE[:7], SQUARE]) == drawn(
        (2, 1, 5, 4))).all()


def test_run_lengths_of_both_kinds():
    packed = run_length([SQUARE], 8, 10)
    for counts in (packed['counts'], packed['counts'].decode()):
        outline = dict(size=[8, 10], counts=counts)
        assert (decoded(outline) == drawn((2, 1, 5, 4))).all()
    plain = dict(size=[8, 10], counts=[17, 3, 5, 3, 5, 3, 44])
    assert (decoded(plain) == drawn((2, 1, 5, 4))).all()
    with pytest.raises(ValueError, match=r'of \[8, 10\] pixels, the picture'):
        run_length(plain, 10, 8)


def test_union():
    assert union([[SQUARE], [OTHER]], 8, 10) == [SQUARE, OTHER]
    runs = run_length([OTHER], 8, 10)
    mixed = union([[SQUARE], runs], 8, 10)
    assert isinstance(mixed['counts'], str)
    assert (decoded(mixed) == drawn((2, 1, 5, 4), (7, 5, 9, 7))).all()


@pytest.mark.parametrize('seed', range(5))
def test_runs_are_unpacked_as_pycocotools_packed_them(seed):
    """Long runs and differences of both signs among them."""
    rng = np.random.default_rng(seed)
    mask = np.repeat(rng.integers(0, 2, (90, 7)), 11, 1)
    mask[rng.random(mask.shape) < 0.02 * seed] ^= 1
    mask[:, 20:50] = 0
    packed = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
    flat = np.concatenate([[0], mask.ravel('F')])
    changes = np.flatnonzero(np.diff(flat))
    runs = np.diff(np.concatenate([[0], changes, [mask.size]]))
    for counts in (packed['counts'], packed['counts'].decode()):
        assert unpack_runs(counts) == runs.tolist()
        check_outline(dict(size=[90, 77], counts=counts), 90, 77)


@pytest.mark.parametrize('counts, pixels', [
    ([17, 3], 'of 20 pixels'),
    ([80, 900], 'of 980 pixels'),
    ([90, -10], 'of no number of pixels'),
    ([79., 1.], 'of no number of pixels'),
    (None, 'of no number of pixels'),
    ('a0353', 'of 31 pixels'),
    ('a', 'of no number of pixels'),
    ('', 'of 0 pixels'),
])
def test_runs_of_other_pixels_are_refused(counts, pixels):
    """pycocotools would write beyond its memory."""
    with pytest.raises(ValueError, match=f'{pixels}, the picture has 80'):
        check_outline(dict(size=[8, 10], counts=counts), 8, 10)


@pytest.mark.parametrize('piece', [['a', 'b'], [1, None], [float('nan')] * 6,
                                   [[1, 2], [3, 4]], [[1, 2], [3]]])
def test_polygons_are_of_numbers(piece):
    with pytest.raises(ValueError, match='expected finite numbers x1, y1'):
        check_outline([SQUARE, piece], 8, 10)


def test_what_shows_nothing():
    for outline in ([[]], [SQUARE[:4]], [SQUARE[:7]],
                    dict(size=[8, 10],
                         counts=[80]), dict(size=[8, 10], counts=[40, 0, 40])):
        check_outline(outline, 8, 10)
        assert shows_nothing(outline)
    for outline in ([SQUARE], [[], SQUARE], dict(size=[8, 10], counts=[79,
                                                                       1])):
        assert not shows_nothing(outline)
