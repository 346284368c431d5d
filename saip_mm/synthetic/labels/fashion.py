"""Garments as Fashionpedia names them: category and attribute ids."""
from typing import Collection, List, Optional, Tuple

from ..people.identity import Identity, Wear

# category and attributes, None for what the taxonomy does not have
Item = Optional[Tuple[int, List[int]]]
# Ids of the final taxonomy: 46 categories, 294 attributes.
UPPER_CATEGORY = {
    'shirt': 0,
    't-shirt': 1,
    'sweater': 2,
    'hoodie': 1,
    'jacket': 4,
    'coat': 9,
    'dress': 10,
    'jumpsuit': 11
}
LOWER_CATEGORY = {'trousers': 6, 'jeans': 6, 'shorts': 7, 'skirt': 8}
SIMPLE = dict(
    inner=1,
    glasses=13,
    hat=14,
    bag=24,
    scarf=25,
    umbrella=26,
    hood=27,
    opening=35,
    print=36)
PAIRS = dict(glove=17, sock=22, shoe=23)
PATTERN = {
    'plain': 317,
    'logo': 317,
    'splice': 317,
    'stripes': 328,
    'thin stripes': 328,
    'side stripe': 328,
    'check': 322
}
SYMMETRICAL, NO_TRIM, NO_FINISH, PRINTED = 115, 295, 316, 301
NORMAL_WAIST, NO_WAIST = 142, 145
SINGLE_BREASTED, ZIP, NO_OPENING = 225, 229, 234
OPENING = {'jacket': ZIP, 'coat': SINGLE_BREASTED, 'shirt': SINGLE_BREASTED}


def _fit(wear: Wear) -> int:
    return 135 if wear.loose < .3 else 136 if wear.loose < .7 else 137


def _cloth(wear: Wear, seen: Collection[str] = ()) -> List[int]:
    """What every garment has: symmetry, fit, pattern, finish."""
    finish = PRINTED if 'print' in seen else NO_FINISH
    return [SYMMETRICAL, _fit(wear), NO_TRIM, finish, PATTERN[wear.pattern]]


def _skirt_length(wear: Wear) -> int:
    if wear.kind == 'coat':
        return 149 if wear.length < .5 else 150
    reach = .62 + .75 * wear.length  # see clothes: 1 is the knee
    return 149 if reach < .75 else 150 if reach < .93 else (
        151 if reach < 1.07 else 152)


def _upper(wear: Wear, seen: Collection[str]) -> List[int]:
    ids = _cloth(wear, seen)
    nick = {'t-shirt': 0, 'hoodie': 16}.get(wear.kind)
    ids += [] if nick is None else [nick]
    if wear.kind not in OPENING:
        ids.append(NO_OPENING)
    elif 'opening' in seen:
        ids.append(OPENING[wear.kind])
    long = wear.kind in ('coat', 'dress')
    ids.append(
        _skirt_length(wear) if long else 155 if wear.kind ==
        'jumpsuit' else 147)
    return ids + [
        NORMAL_WAIST if wear.kind in ('dress', 'jumpsuit') else NO_WAIST
    ]


def _lower(wear: Wear) -> List[int]:
    ids = _cloth(wear) + [NORMAL_WAIST]
    if wear.kind == 'skirt':
        shape = 129 if wear.loose > .4 else 127  # a-line, pencil
        return ids + [shape, _skirt_length(wear), NO_OPENING]
    if wear.kind == 'shorts':
        return ids + [128, 150 if wear.length < .6 else 151]
    wide = 132 if wear.loose > .75 else 128  # wide leg, straight
    return ids + [wide, 154] + [36] * (wear.kind == 'jeans')


def _part(who: Identity, name: str) -> Item:
    wear = who.upper
    if name.endswith('_sleeve'):
        return 31, [204, 160 if wear.long_sleeves else 157]
    if name == 'neckline':
        return 33, [183 if who.v_neck else 182]
    if name == 'collar':
        # Shirt collar, banded collar, else a regular one.
        return 28, [{'shirt': 163, 'sweater': 166}.get(wear.kind, 162)]
    if name == 'pocket':
        return 32, [220 if wear.kind == 'hoodie' else 218]
    return None


def fashion_item(who: Identity, name: str, seen: Collection[str] = ()) -> Item:
    """Fashionpedia's words for a garment, as far as it shows them.

    Args:
        who (Identity): Whose garment.
        name (str): As in ``Layer.garments``.
        seen (Collection[str]): All of the person's garments that are seen: a
            print and an opening are named only where they are, not from
            behind. Defaults to none.

    Returns:
        tuple or None: Category id and sorted attribute ids; None for what
        the taxonomy does not have.
    """
    if name == 'upper':
        found = UPPER_CATEGORY[who.upper.kind], _upper(who.upper, seen)
    elif name == 'lower' and who.lower:
        found = LOWER_CATEGORY[who.lower.kind], _lower(who.lower)
    elif name == 'opening' and who.upper.kind != 'jacket':
        return None  # buttons; only jackets have a zipper
    elif name in SIMPLE:
        found = SIMPLE[name], [SYMMETRICAL] if name == 'inner' else []
    elif name.split('_')[-1] in PAIRS:
        found = PAIRS[name.split('_')[-1]], []
    else:
        found = _part(who, name)
    return found and (found[0], sorted(set(found[1])))
