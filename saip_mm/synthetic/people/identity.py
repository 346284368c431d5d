"""Who a rendered person is: everything that stays from picture to picture."""
from dataclasses import dataclass
from functools import lru_cache
from typing import Optional

import numpy as np

from .palette import CLOTH, HAIR, OUTFITS, RGB, pick, shade_of, skin_tone

COLORS = tuple(CLOTH)

IDENTITY_STREAM = 101  # keeps its random numbers apart from poses' and places'
SPLITS = ('train', 'test', 'other')

UPPERS = ('t-shirt', 'shirt', 'sweater', 'hoodie', 'jacket', 'coat')
LOWERS = ('trousers', 'jeans', 'shorts', 'skirt')
WHOLE = ('dress', 'jumpsuit')
SHOES = ('sneakers', 'leather shoes', 'boots', 'sandals')
BAGS = ('backpack', 'shoulder bag', 'handbag', 'plastic bag')
HELD = ('phone', 'umbrella', 'box', 'cup')
AGES = ('child', 'young', 'adult', 'middle', 'senior')
PATTERNS = ('plain', 'stripes', 'thin stripes', 'check', 'logo', 'splice')


@dataclass(frozen=True)
class Body:
    """Proportions; lengths in metres, the rest relative to the average."""
    height: float
    legs: float
    shoulders: float
    hips: float
    girth: float
    head: float


@dataclass(frozen=True)
class Wear:
    """A garment or a carried thing."""
    kind: str
    color: str
    rgb: RGB
    second: str = ''
    second_rgb: RGB = (0, 0, 0)
    pattern: str = 'plain'
    long_sleeves: bool = False
    length: float = 0.  # of skirts: 0 above the knee, 1 below
    loose: float = 0.3  # 0 tight, 1 wide
    variant: int = 0  # form of logos, neckline, place of stripes


@dataclass(frozen=True)
class Identity:
    """See the fields; ``None`` is "does not wear one"."""
    number: int
    female: bool
    age: str  # 'child', 'young', 'adult', 'middle' or 'senior'
    body: Body
    skin: RGB
    hair_color: str
    hair_rgb: RGB
    hair: str  # 'bald', 'short', 'bob', 'long' or 'bun'
    upper: Wear
    lower: Optional[Wear]
    shoes: Wear
    socks: Optional[Wear]
    hat: Optional[Wear]
    glasses: str  # '', 'glasses' or 'sunglasses'
    scarf: Optional[Wear]
    gloves: Optional[Wear]
    bag: Optional[Wear]
    bag_left: bool
    held: str  # '' or one of HELD
    held_rgb: RGB

    @property
    def v_neck(self) -> bool:
        """Whether the neckline is cut deep."""
        return self.upper.kind in ('t-shirt', 'dress',
                                   'jumpsuit') and self.upper.variant % 2 > 0


def numbered(rng: np.random.Generator, split: str) -> int:
    """Draw the number of an identity, pose or place that a split owns.

    Numbers of different splits never meet: the remainder by
    ``len(SPLITS)`` names the split.

    Args:
        rng (Generator): Draws one integer.
        split (str): One of ``SPLITS``.

    Example:
        >>> numbered(np.random.default_rng(0), 'test') % len(SPLITS)
        1
    """
    return own_number(int(rng.integers(1 << 40)), split)


def own_number(index: int, split: str) -> int:
    """The ``index``-th number a split owns; see :func:`numbered`."""
    return index * len(SPLITS) + SPLITS.index(split)


@lru_cache(maxsize=1024)
def make_identity(number: int, seed: int = 0) -> Identity:
    """Make up a person.

    Args:
        number (int): Which one; equal numbers are equal persons.
        seed (int): Of the data set. Defaults to 0.

    Returns:
        Identity: The person.
    """
    rng = np.random.default_rng([IDENTITY_STREAM, seed, number])
    female = bool(rng.random() < 0.48)
    age = pick(rng, AGES, (.08, .36, .32, .14, .10))
    hair_color = _hair_color(rng, age)
    top, bottom, feet = pick(rng, OUTFITS)
    upper = _upper(rng, top, female)
    lower = None if upper.kind in WHOLE else _lower(rng, bottom, female)
    bare = upper.kind == 'dress' or getattr(lower, 'kind',
                                            '') in ('shorts', 'skirt')
    winter = upper.kind in ('coat', 'jacket')
    return Identity(
        number=number,
        female=female,
        age=age,
        body=_body(rng, female, age),
        skin=skin_tone(float(rng.beta(1.3, 1.6))),
        hair_color=hair_color,
        hair_rgb=shade_of(HAIR[hair_color], rng, 5),
        hair=_hair(rng, female, age),
        upper=upper,
        lower=lower,
        shoes=_shoes(rng, feet, bare),
        socks=_maybe(rng, .6 * bare, 'socks'),
        hat=_maybe(rng, .16, 'cap' if rng.random() < .6 else 'hat'),
        glasses=pick(rng, ('', 'glasses', 'sunglasses'), (.74, .15, .11)),
        scarf=_maybe(rng, .35 if winter else .04, 'scarf'),
        gloves=_maybe(rng, .30 if winter else 0., 'gloves'),
        bag=_maybe(rng, .58, pick(rng, BAGS, (.4, .3, .18, .12))),
        bag_left=bool(rng.random() < .5),
        held=pick(rng, ('', ) + HELD, (.72, .12, .04, .05, .07)),
        held_rgb=shade_of(CLOTH[pick(rng, COLORS)], rng))


def _body(rng, female, age) -> Body:
    """Height follows age and sex; the rest varies around it."""
    height = {
        'child': rng.uniform(1.15, 1.5),
        'senior': rng.normal(1.66, .06)
    }.get(age, rng.normal(1.65 if female else 1.77, .065))
    scale = [_within(s, .88, 1.12) for s in rng.normal(1, .05, 3)]
    return Body(
        height=_within(height, 1.1, 2.0),
        legs=scale[0] * (.95 if age == 'child' else 1.),
        shoulders=scale[1] * (.93 if female else 1.04),
        hips=scale[2] * (1.06 if female else .96),
        girth=_within(rng.normal(1.02, .14), .78, 1.45),
        head=1.2 if age == 'child' else float(rng.uniform(.95, 1.05)))


def _within(value, low, high) -> float:
    return float(min(max(value, low), high))


def _hair_color(rng, age) -> str:
    if age == 'senior' and rng.random() < .8:
        return 'grey'
    return pick(rng, tuple(HAIR), (.46, .30, .13, .06, .05))


def _hair(rng, female, age) -> str:
    styles = ('bald', 'short', 'bob', 'long', 'bun')
    if female:
        return pick(rng, styles, (0., .14, .26, .42, .18))
    bald = .3 if age in ('senior', 'middle') else .05
    return pick(rng, styles, (bald, .93 - bald, .03, .04, 0.))


def _wear(rng, kind, color, **kwargs) -> Wear:
    second = pick(rng, [c for c in COLORS if c != color])
    return Wear(
        kind,
        color,
        shade_of(CLOTH[color], rng),
        second,
        shade_of(CLOTH[second], rng),
        variant=int(rng.integers(1 << 16)),
        **kwargs)


def _upper(rng, color, female) -> Wear:
    weights = (.27, .17, .13, .12, .12, .08, .08 * female, .03)
    kind = pick(rng, UPPERS + WHOLE, weights)
    pattern = pick(rng, PATTERNS, (.4, .13, .09, .12, .16, .10))
    if kind == 'coat':
        pattern = 'check' if pattern == 'check' else 'plain'
    if kind in WHOLE and pattern in ('logo', 'splice'):
        pattern = 'stripes'
    long = {'t-shirt': .06, 'shirt': .7, 'dress': .35}.get(kind, 1.)
    return _wear(
        rng,
        kind,
        color,
        pattern=pattern,
        long_sleeves=bool(rng.random() < long),
        length=float(rng.uniform(0, 1)),
        loose=float(rng.uniform(.1, .9)))


def _lower(rng, color, female) -> Wear:
    weights = (.34, .30, .18, .18) if female else (.42, .34, .24, 0.)
    kind = pick(rng, LOWERS, weights)
    if kind == 'jeans':
        color = pick(rng, ('navy', 'blue', 'black', 'grey'))
    pattern = pick(rng, ('plain', 'side stripe', 'check'), (.82, .1, .08))
    return _wear(
        rng,
        kind,
        color,
        pattern='plain' if kind == 'jeans' else pattern,
        length=float(rng.uniform(0, 1)),
        loose=float(rng.uniform(0, 1)))


def _shoes(rng, color, bare) -> Wear:
    weights = (.52, .18, .10, .20) if bare else (.56, .28, .14, .02)
    return _wear(rng, pick(rng, SHOES, weights), color)


def _maybe(rng, chance, kind) -> Optional[Wear]:
    # Draws happen either way, so that one trait never shifts the others.
    wear = _wear(rng, kind, pick(rng, COLORS))
    return wear if rng.random() < chance else None
