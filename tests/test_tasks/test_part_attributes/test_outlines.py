import numpy as np
import pytest

pytest.importorskip('mmdet')

import pycocotools.mask as mask_utils  # noqa: E402

from saip_mm.tasks.part_attributes.outlines import run_length  # noqa: E402
from saip_mm.tasks.part_attributes.outlines import union  # noqa: E402

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
