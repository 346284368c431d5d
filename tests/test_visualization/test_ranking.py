import numpy as np
import pytest

from saip_mm.visualization import Ranked, draw_rankings
from saip_mm.visualization.ranking import (BETWEEN, FRAME, GAP, RIGHT, TITLE,
                                           UNKNOWN, WRONG)


def picture(value, height=60, width=30):
    return np.full((height, width, 3), value, np.uint8)


def test_frames_say_right_and_wrong():
    rows = [
        Ranked(
            picture(10), [picture(20), picture(30)], [True, False], '0002_c1'),
        Ranked(picture(40, 30, 90), [picture(50)], [None])
    ]
    sheet = draw_rankings(rows, (128, 64))
    left = round(90 * 128 / 30) + BETWEEN
    cell = 64 + 2 * FRAME + GAP
    tall = TITLE + 128 + 2 * FRAME + GAP
    assert sheet.shape == (2 * tall, left + 2 * cell, 3)
    for row, column, colour, value in ((0, 0, RIGHT, 20), (0, 1, WRONG, 30),
                                       (1, 0, UNKNOWN, 50)):
        top, at = row * tall + TITLE, left + column * cell
        assert tuple(sheet[top + 60, at]) == colour
        assert tuple(sheet[top + 130 + FRAME, at + 30]) == colour
        assert (sheet[top + 60, at + 40] == value).all()
    assert (sheet[TITLE + 60, 10] == 10).all()
    assert (sheet[:TITLE, :60] < 128).any()  # the title


def test_a_wrong_answer_has_a_stroke_too():
    right, wrong = (
        draw_rankings([Ranked(picture(0), [picture(0)], [known])])
        for known in (True, False))
    at = round(30 * 128 / 60) + BETWEEN
    inside = (slice(TITLE + FRAME, TITLE + 20), slice(at + FRAME, at + 20))
    assert not right[inside].any() and wrong[inside].any()


def test_nothing_to_draw():
    with pytest.raises(ValueError, match='no query to draw'):
        draw_rankings([])
