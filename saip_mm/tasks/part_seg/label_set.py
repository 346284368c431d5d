"""Names, colours and mirror twins of a set of part labels."""
import re
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

IGNORED = 255  # a label that is neither trained nor counted
Pairs = List[Tuple[int, int]]
# the words by which a name and its twin differ
_TWINS = ((re.compile('left'), 'right'), (re.compile(r'(?<![a-z])l(?![a-z])'),
                                          'r'))


def complete_labels(given: Mapping, default: Mapping) -> dict:
    """What a data set needs to know of its classes, all of it checked.

    Args:
        given (Mapping): What the user said of ``classes`` (names, the
            first is number 0), ``palette`` (RGB of each, 0-255) and
            ``flip_pairs`` (classes that a mirror exchanges, by number or
            name); each may be missing.
        default (Mapping): The benchmark's. Classes which are all among its
            own are a selection of them: its labels are renumbered, the
            others ignored, and its colours and pairs follow. Any other
            names are a set of one's own, numbered as written.

    Returns:
        dict: ``classes`` (tuple of str), ``palette`` (list of ``[r, g, b]``)
        and ``flip_pairs`` (list of pairs of numbers).

    Raises:
        ValueError: If there are no classes, names that repeat, colours that
            do not match, or pairs that leave left and right as they were.

    Example:
        >>> complete_labels(
        ...     dict(classes=('skin', 'left_arm', 'right_arm')), {})
        {'classes': ('skin', 'left_arm', 'right_arm'),
         'palette': [[0, 0, 0], [128, 0, 0], [0, 128, 0]],
         'flip_pairs': [(1, 2)]}
    """
    classes = check_names(given.get('classes', default.get('classes')))
    known = _selected(classes, default)
    palette = given.get('palette')
    if palette is None and known:
        colours = dict(zip(default['classes'], default['palette']))
        palette = [list(colours[name]) for name in classes]
    elif palette is None:
        palette = distinct_colours(len(classes))
    return dict(
        classes=classes,
        palette=_check_palette(palette, classes),
        flip_pairs=_complete_pairs(given, default, classes, known))


def label_map(classes: Sequence[str],
              default: Mapping) -> Optional[Dict[int, int]]:
    """New number of each of the benchmark's, if classes are a selection.

    Returns:
        dict[int, int], optional: Old to new number, 255 where a class is
        left out; None if the numbers stay as they are.

    Example:
        >>> label_map(('c', 'a'), dict(classes=('a', 'b', 'c')))
        {0: 1, 1: 255, 2: 0}
    """
    old = tuple(default.get('classes', ()))
    if tuple(classes) == old or not _selected(classes, default):
        return None
    new = {name: number for number, name in enumerate(classes)}
    return {number: new.get(name, IGNORED) for number, name in enumerate(old)}


def widows(classes: Sequence[str], default: Mapping) -> List[Tuple[str, str]]:
    """Selected classes whose mirror twin was left out, each with it.

    Example:
        >>> widows(('hat', 'left'), dict(
        ...     classes=('hat', 'left', 'right'), flip_pairs=[(1, 2)]))
        [('left', 'right')]
    """
    if not _selected(classes, default):
        return []
    names = default['classes']
    twins = [(names[a], names[b]) for a, b in default.get('flip_pairs', ())]
    return [(kept, other) for pair in twins
            for kept, other in (pair, pair[::-1])
            if kept in classes and other not in classes]


def named(pairs: Pairs, classes: Sequence[str]) -> str:
    """Pairs with their names, for messages: ``(3, 4) left_arm/right_arm``."""
    return ', '.join(f'({a}, {b}) {classes[a]}/{classes[b]}'
                     for a, b in pairs) or 'none'


def check_names(classes) -> Tuple[str, ...]:
    """Refuse what is no list of different names.

    Returns:
        tuple[str]: The names.
    """
    if not classes or not _is_list(classes):
        raise ValueError(
            f"metainfo.classes is {classes!r}: name the classes in the order "
            "of their numbers, metainfo=dict(classes=('background', 'hair'))")
    classes = tuple(classes)
    wrong = [name for name in classes if not isinstance(name, str) or not name]
    if wrong:
        raise ValueError(f'metainfo.classes holds {wrong[0]!r}, no name')
    twice = sorted({name for name in classes if classes.count(name) > 1})
    if twice:
        raise ValueError(f'metainfo.classes names {twice[0]!r} twice: each '
                         'number has a name of its own')
    if len(classes) > IGNORED:
        raise ValueError(f'metainfo.classes has {len(classes)} names; labels '
                         f'have room for {IGNORED}, 0-{IGNORED - 1}')
    return classes


def distinct_colours(count: int) -> List[List[int]]:
    """Colours for any number of classes, all different; the first is black.

    A number's bits go to red, green and blue in turn, each time to the
    highest bit that is free: near numbers get colours far apart.

    Example:
        >>> distinct_colours(4)
        [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    """
    return [[
        sum((number >> 3 * bit + channel & 1) << 7 - bit for bit in range(8))
        for channel in range(3)
    ] for number in range(count)]


def twins_by_name(classes: Sequence[str]) -> Pairs:
    """Classes whose names differ in left and right alone.

    Example:
        >>> twins_by_name(('Right-arm', 'hat', 'Left-arm', 'l_leg', 'r_leg'))
        [(0, 2), (3, 4)]
    """
    numbers = {name.lower(): number for number, name in enumerate(classes)}
    found = set()
    for name, number in numbers.items():
        for left, right in _TWINS:
            other = numbers.get(left.sub(right, name), number)
            if other != number:
                found.add(tuple(sorted((number, other))))
    return sorted(found)


def _is_list(value) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _selected(classes: Sequence[str], default: Mapping) -> bool:
    return set(classes) <= set(default.get('classes', ()))


def _check_palette(palette, classes: Sequence[str]) -> List[List[int]]:
    if not _is_list(palette) or not all(map(_is_list, palette)):
        raise ValueError(f'metainfo.palette is {palette!r}: list a colour '
                         '(red, green, blue) for each class')
    palette = [list(colour) for colour in palette]
    if len(palette) != len(classes):
        raise ValueError(
            f'metainfo.palette has {len(palette)} colours, metainfo.classes '
            f'{len(classes)} names: one each, or leave the palette out')
    for colour in palette:
        if len(colour) != 3 or not all(
                isinstance(v, int) and 0 <= v <= 255 for v in colour):
            raise ValueError(f'metainfo.palette holds {colour}: a colour is '
                             'red, green and blue, each 0-255')
    return palette


def _complete_pairs(given: Mapping, default: Mapping, classes: Tuple[str, ...],
                    known: bool) -> Pairs:
    if known:
        names = default['classes']
        wanted = sorted(
            tuple(classes.index(names[number]) for number in pair)
            for pair in default.get('flip_pairs', ())
            if all(names[number] in classes for number in pair))
    else:
        wanted = twins_by_name(classes)
    if given.get('flip_pairs') is None:
        return wanted
    pairs = check_pairs(given['flip_pairs'], classes)
    own = {frozenset(pair) for pair in pairs}
    needed = {frozenset(pair) for pair in wanted}
    if not needed <= own or (known and own != needed):
        raise ValueError(
            f'metainfo.flip_pairs is {named(pairs, classes)}, but by their '
            f'names a mirror exchanges {named(wanted, classes)}: set '
            f'flip_pairs={wanted}, or leave it out')
    return pairs


def check_pairs(pairs: Sequence, classes: Sequence[str]) -> Pairs:
    """Pairs of numbers of pairs of numbers or names.

    Raises:
        ValueError: If one is no class, or a class stands in two pairs.
    """
    if not _is_list(pairs) or not all(map(_is_list, pairs)):
        raise ValueError(f'flip_pairs is {pairs!r}: list pairs of classes, '
                         '[(4, 5)]')
    classes, result = list(classes), []
    for pair in pairs:
        numbers = tuple(
            classes.index(one) if one in classes else one for one in pair)
        for one in numbers:
            if not isinstance(one, int) or not 0 <= one < len(classes):
                raise ValueError(
                    f'flip_pairs holds {tuple(pair)}, but {one!r} is none of '
                    f'the {len(classes)} classes, 0-{len(classes) - 1}: '
                    f'{", ".join(classes)}')
        result.append(numbers)
    flat = [number for pair in result for number in pair]
    if any(len(pair) != 2 for pair in result) or len(set(flat)) != len(flat):
        raise ValueError(f'flip_pairs is {result}: a pair is two classes, and '
                         'a class stands in one pair at most')
    return result
