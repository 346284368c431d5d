"""Sentences about a person, of varied wording."""
from typing import Optional, Set

import numpy as np

from ..people.identity import Identity, Wear
from ..people.palette import pick

PATTERN = {
    'plain': '',
    'stripes': 'striped ',
    'thin stripes': 'finely striped ',
    'check': 'checked ',
    'logo': '',
    'splice': 'two-coloured ',
    'side stripe': ''
}
PLURAL = ('trousers', 'jeans', 'shorts', 'sneakers', 'leather shoes', 'boots',
          'sandals', 'gloves', 'socks')
DOING = {
    'walk': ('is walking', 'walks along'),
    'stand': ('stands there', 'is standing'),
    'run': ('is running', 'runs'),
    'sit': ('is sitting', 'sits'),
    'arms raised': ('raises an arm', 'is waving')
}


def _article(words: str) -> str:
    return ('an ' if words[0] in 'aeiou' else 'a ') + words


def _named(wear: Wear, sleeves: bool = False) -> str:
    words = f'{wear.color} {PATTERN[wear.pattern]}{wear.kind}'
    if wear.pattern == 'splice':
        words = f'{wear.color} and {wear.second} {wear.kind}'
    if wear.pattern in ('stripes', 'thin stripes', 'check') and wear.second:
        words = f'{wear.color} and {wear.second} ' + (
            f'{PATTERN[wear.pattern]}{wear.kind}')
    if sleeves:
        words = ('long-sleeved '
                 if wear.long_sleeves else 'short-sleeved ') + words
    if wear.pattern == 'logo':
        words += f' with a {wear.second} print'
    if wear.pattern == 'side stripe':
        words += f' with {wear.second} stripes down the side'
    return words if wear.kind in PLURAL else _article(words)


def _person(who: Identity, rng) -> str:
    if who.age == 'child':
        return pick(rng, ('girl', 'child') if who.female else ('boy', 'child'))
    old = 'elderly ' if who.age == 'senior' else ''
    young = 'young ' if who.age == 'young' and rng.random() < .5 else ''
    return old + young + pick(
        rng, ('woman', 'lady', 'female pedestrian') if who.female else
        ('man', 'male pedestrian'))


def _list(items) -> str:
    if len(items) < 2:
        return ''.join(items)
    return ', '.join(items[:-1]) + ' and ' + items[-1]


def _clothes(who, rng, seen):
    items = [_named(who.upper, rng.random() < .5)]
    if who.lower and 'lower' in seen:
        items.append(_named(who.lower))
    if seen & {'left_shoe', 'right_shoe'}:
        items.append(_named(who.shoes))
    return _list(items)


def _extras(who, rng, seen):
    """Hair first, then whatever else is seen."""
    hair = {
        'bald': 'a bald head',
        'short': f'short {who.hair_color} hair',
        'bob': f'chin-length {who.hair_color} hair',
        'long': f'long {who.hair_color} hair',
        'bun': f'{who.hair_color} hair in a bun'
    }[who.hair]
    worn = [
        w for w, key in ((who.hat, 'hat'), (who.scarf, 'scarf'))
        if w and key in seen
    ]
    worn = [_named(w) for w in worn]
    if who.glasses and 'glasses' in seen:
        worn.append(who.glasses)
    carried = []
    if who.bag and 'bag' in seen:
        carried.append(_named(who.bag))
    if who.held and seen & {'held', 'umbrella'}:
        carried.append(_article(who.held))
    return hair, worn, carried


def describe(who: Identity,
             rng: np.random.Generator,
             doing: str = 'walk',
             seen: Optional[Set[str]] = None) -> str:
    """Describe a person.

    Args:
        who (Identity): The person.
        rng (Generator): Draws the wording.
        doing (str): Kind of pose. Defaults to 'walk'.
        seen (set[str], optional): Names of the garments that are seen, as
            in ``Layer.garments``; others are not mentioned. Defaults to
            None: all are.

    Returns:
        str: One or two sentences.
    """
    if seen is None:
        seen = {
            'upper', 'lower', 'left_shoe', 'hat', 'scarf', 'glasses', 'bag',
            'held', 'umbrella'
        }
    person, does = _person(who, rng), pick(rng, DOING[doing])
    clothes = _clothes(who, rng, seen)
    hair, worn, carried = _extras(who, rng, seen)
    pronoun = 'She' if who.female else 'He'
    form = int(rng.integers(4))
    if form == 0:
        text = f'The {person} {does}, wearing {clothes}.'
    elif form == 1:
        text = f'{_article(person).capitalize()} with {hair} in {clothes}.'
    elif form == 2:
        text = f'A pedestrian, {_article(person)}, wears {clothes}.'
    else:
        text = f'Dressed in {clothes}, this {person} {does}.'
    more = []
    if form != 1:
        more.append(f'has {hair}')
    if worn:
        more.append(f'wears {_list(worn)}')
    if carried:
        verb = pick(rng, ('carries', 'is carrying'))
        more.append(f'{verb} {_list(carried)}')
    return text + (f' {pronoun} {_list(more)}.' if more else '')
