"""Named colours: what the renderer paints and the captions say."""
from typing import Dict, Sequence, Tuple

import numpy as np

RGB = Tuple[int, int, int]

CLOTH: Dict[str, RGB] = dict(
    black=(32, 31, 34),
    white=(226, 226, 222),
    grey=(128, 129, 132),
    red=(172, 36, 42),
    blue=(52, 92, 168),
    navy=(30, 38, 74),
    green=(52, 112, 66),
    yellow=(214, 182, 60),
    brown=(98, 66, 44),
    beige=(196, 176, 142),
    pink=(214, 138, 158),
    purple=(102, 62, 122),
    orange=(206, 112, 42))

HAIR: Dict[str, RGB] = dict(
    black=(28, 24, 24),
    brown=(74, 50, 34),
    blond=(190, 156, 98),
    red=(128, 62, 34),
    grey=(158, 156, 154))

# From light to dark; people differ continuously between neighbours.
SKIN = np.array([(240, 206, 184), (226, 184, 152), (198, 148, 112),
                 (158, 108, 76), (112, 74, 52), (76, 50, 38)], np.float32)

# Colours of upper wear, lower wear and shoes that are worn together. Few,
# and used by everybody, so that colour alone does not tell who it is.
OUTFITS = (('black', 'black', 'black'), ('black', 'navy', 'white'),
           ('white', 'navy', 'white'), ('white', 'black', 'brown'),
           ('grey', 'black', 'white'), ('grey', 'navy', 'black'),
           ('navy', 'beige', 'brown'), ('blue', 'grey', 'white'),
           ('red', 'navy', 'black'), ('green', 'beige', 'brown'),
           ('pink', 'white', 'white'), ('beige', 'black',
                                        'black'), ('purple', 'grey', 'black'),
           ('yellow', 'blue', 'white'), ('orange', 'black',
                                         'grey'), ('brown', 'beige', 'brown'))


def skin_tone(position: float) -> RGB:
    """Colour between the tones of ``SKIN``.

    Args:
        position (float): 0 (light) to 1 (dark).

    Example:
        >>> skin_tone(0.), skin_tone(1.)
        ((240, 206, 184), (76, 50, 38))
    """
    at = position * (len(SKIN) - 1)
    low = min(int(at), len(SKIN) - 2)
    tone = SKIN[low] + (at - low) * (SKIN[low + 1] - SKIN[low])
    return tuple(int(round(float(c))) for c in tone)


def shade_of(rgb: RGB, rng: np.random.Generator, spread: float = 7) -> RGB:
    """A neighbouring colour that still deserves the name.

    Args:
        rgb (tuple): 0..255.
        rng (Generator): Draws one offset for brightness, three for hue.
        spread (float): Standard deviation, in grey levels. Defaults to 7.
    """
    shift, *hues = rng.normal(0, spread, 4).tolist()
    return tuple(
        int(min(max(c + shift + hue / 3, 8), 245))
        for c, hue in zip(rgb, hues))


def pick(rng: np.random.Generator, options: Sequence, weights=None):
    """Draw one of several; weights need not sum to 1.

    Much faster than ``Generator.choice`` for the few options here.

    Args:
        rng (Generator): Draws one number.
        options (Sequence): What to choose from.
        weights (Sequence[float], optional): Defaults to equal chances.
    """
    if weights is None:
        return options[int(rng.random() * len(options))]
    rest = rng.random() * sum(weights)
    for option, weight in zip(options, weights):
        rest -= weight
        if rest < 0:
            return option
    return option
