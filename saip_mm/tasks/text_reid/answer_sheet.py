"""Sentences and the pictures found, as a picture to look at."""
import textwrap
from typing import List, NamedTuple, Optional, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

RIGHT, WRONG, UNKNOWN = (40, 160, 60), (210, 50, 40), (150, 150, 150)
SIZE = (144, 48)  # height, width of a crop
FRAME, GAP, LINE, FONT = 3, 4, 15, 12  # pixels
GLYPH = 6  # pixels of width, about, of a letter of the font


class Answers(NamedTuple):
    """What was found for a sentence.

    Attributes:
        text (str): The sentence.
        paths (list[str]): Pictures, the most similar first.
        similarities (list[float]): Cosine of each.
        right (list[bool], optional): Whether each shows the person; None
            where nobody knows.
    """
    text: str
    paths: List[str]
    similarities: List[float]
    right: Optional[List[bool]] = None


def answer_sheet(answers: Sequence[Answers],
                 pictures: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Lay out sentences, under each the pictures found.

    Right ones have a green frame, wrong ones a red one, others a grey one;
    under each stands its similarity.

    Args:
        answers (Sequence[Answers]): The rows.
        pictures (Sequence[Sequence[np.ndarray]]): Of each row its pictures,
            ``(H, W, 3)`` uint8 RGB of any size.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB.
    """
    cell = SIZE[1] + 2 * FRAME + GAP
    width = max(cell * max((len(row) for row in pictures), default=1), 320)
    rows = [_row(answer, row, width) for answer, row in zip(answers, pictures)]
    return np.concatenate(rows) if rows else np.full(
        (LINE, width, 3), 255, np.uint8)


def _row(answer: Answers, pictures: Sequence[np.ndarray],
         width: int) -> np.ndarray:
    lines = textwrap.wrap(answer.text, max(width // GLYPH - 2, 20)) or ['']
    top = LINE * len(lines) + GAP
    height = top + SIZE[0] + 2 * FRAME + LINE + 2 * GAP
    sheet = Image.new('RGB', (width, height), 'white')
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(FONT)
    for number, line in enumerate(lines):
        draw.text((GAP, LINE * number), line, (0, 0, 0), font)
    right = answer.right or [None] * len(pictures)
    for place, (picture, known) in enumerate(zip(pictures, right)):
        left = place * (SIZE[1] + 2 * FRAME + GAP)
        colour = {True: RIGHT, False: WRONG, None: UNKNOWN}[known]
        draw.rectangle((left, top, left + SIZE[1] + 2 * FRAME - 1,
                        top + SIZE[0] + 2 * FRAME - 1), colour)
        crop = Image.fromarray(picture).resize(SIZE[::-1])
        sheet.paste(crop, (left + FRAME, top + FRAME))
        draw.text((left + FRAME, top + SIZE[0] + 2 * FRAME),
                  f'{answer.similarities[place]:.2f}', (0, 0, 0), font)
    return np.asarray(sheet)
