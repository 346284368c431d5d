"""Queries beside their first answers, right and wrong ones framed."""
from typing import NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

from .sheet import GAP, TITLE

Size = Tuple[int, int]
CELL = (128, 64)  # height, width
RIGHT, WRONG, UNKNOWN = (0, 160, 60), (215, 30, 30), (150, 150, 150)
FRAME = 4  # pixels
BETWEEN = 12  # of query and answers


class Ranked(NamedTuple):
    """A query and its answers.

    Attributes:
        query (np.ndarray): ``(H, W, 3)`` uint8 RGB, of any size.
        answers (Sequence[np.ndarray]): Likewise, the best first.
        right (Sequence[bool | None]): Of each answer; None if nobody knows.
        title (str): Above the query. Defaults to ''.
    """
    query: np.ndarray
    answers: Sequence[np.ndarray]
    right: Sequence[Optional[bool]]
    title: str = ''


def draw_rankings(rows: Sequence[Ranked], size: Size = CELL) -> np.ndarray:
    """Lay out queries, one a row, with their answers to the right.

    Right answers have a green frame, wrong ones a red one with a stroke
    through its corner, those of which nobody knows a grey one.

    Args:
        rows (Sequence[Ranked]): Queries.
        size (tuple[int, int]): Height and width of an answer, in pixels; a
            query has that height and its own shape. Defaults to 128 by 64.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB on white.

    Raises:
        ValueError: If there is no query.
    """
    if not rows:
        raise ValueError('there is no query to draw')
    height, width = size
    asked = [_fit_height(row.query, height) for row in rows]
    left = max(query.shape[1] for query in asked) + BETWEEN
    most = max(len(row.answers) for row in rows)
    cell = height + 2 * FRAME, width + 2 * FRAME
    tall = TITLE + cell[0] + GAP
    sheet = np.full((len(rows) * tall, left + most * (cell[1] + GAP), 3), 255,
                    np.uint8)
    for number, (row, query) in enumerate(zip(rows, asked)):
        top = number * tall
        cv2.putText(sheet, row.title, (0, top + TITLE - 5),
                    cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
        top += TITLE
        sheet[top + FRAME:top + FRAME + height, :query.shape[1]] = query
        for place, (answer, right) in enumerate(zip(row.answers, row.right)):
            at = left + place * (cell[1] + GAP)
            sheet[top:top + cell[0],
                  at:at + cell[1]] = _framed(answer, size, right)
    return sheet


def _fit_height(image: np.ndarray, height: int) -> np.ndarray:
    width = max(1, round(image.shape[1] * height / image.shape[0]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _framed(image: np.ndarray, size: Size,
            right: Optional[bool]) -> np.ndarray:
    height, width = size
    colour = {True: RIGHT, False: WRONG, None: UNKNOWN}[right]
    out = np.full((height + 2 * FRAME, width + 2 * FRAME, 3), colour, np.uint8)
    out[FRAME:-FRAME, FRAME:-FRAME] = cv2.resize(
        image, (width, height), interpolation=cv2.INTER_AREA)
    if right is False:  # not by its colour alone
        cv2.line(out, (0, 16), (16, 0), colour, FRAME)
    return out
