import numpy as np
import pytest

pytest.importorskip('mmseg')

from saip_mm.tasks.part_seg import LIPPartsDataset  # noqa: E402
from saip_mm.tasks.part_seg import label_set  # noqa: E402
from .parts_files import PLAIN, SIDED, SIDED_PAIRS  # noqa: E402

LIP = LIPPartsDataset.METAINFO


def test_own_names_alone_are_enough():
    plain = label_set.complete_labels(dict(classes=PLAIN), {})
    assert plain['classes'] == PLAIN and plain['flip_pairs'] == []
    colours = {tuple(colour) for colour in plain['palette']}
    assert len(colours) == 12 and all(len(c) == 3 for c in colours)
    sided = label_set.complete_labels(dict(classes=SIDED), {})
    assert sided['flip_pairs'] == SIDED_PAIRS


@pytest.mark.parametrize('default', [{}, LIP], ids=['none', 'LIP'])
def test_own_names_are_numbered_as_written(default):
    own = tuple(LIP['classes'][:5]) + ('Torso-skin', 'Left-leg', 'Right-leg')
    assert label_set.complete_labels(dict(classes=own),
                                     default)['flip_pairs'] == [(6, 7)]
    assert label_set.label_map(own, default) is None and label_set.widows(
        own, default) == []


def test_pairs_by_number_or_name():
    for pairs in (SIDED_PAIRS, [(5, 4), (9, 10),
                                (7, 6)], [(SIDED[a], SIDED[b])
                                          for a, b in SIDED_PAIRS]):
        found = label_set.complete_labels(
            dict(classes=SIDED, flip_pairs=pairs), {})['flip_pairs']
        assert {frozenset(p)
                for p in found} == {frozenset(p)
                                    for p in SIDED_PAIRS}
    other = label_set.complete_labels(
        dict(classes=('a', 'b', 'c'), flip_pairs=[('c', 'b')]), {})
    assert other['flip_pairs'] == [(2, 1)]


def test_random_selections_follow_the_names():
    """Against loops over names: numbers, colours and pairs."""
    rng = np.random.default_rng(0)
    names = list(LIP['classes'])
    for _ in range(200):
        chosen = list(rng.permutation(names)[:rng.integers(1, 21)])
        found = label_set.complete_labels(dict(classes=chosen), LIP)
        numbers = label_set.label_map(chosen, LIP) or dict(
            enumerate(range(20)))
        for old, name in enumerate(names):
            wanted = chosen.index(name) if name in chosen else 255
            assert numbers[old] == wanted
        for name, colour in zip(chosen, found['palette']):
            assert colour == LIP['palette'][names.index(name)]
        pairs = {frozenset(chosen[i] for i in p) for p in found['flip_pairs']}
        alone = set(label_set.widows(chosen, LIP))
        for part in ('arm', 'leg', 'shoe'):
            left, right = f'Left-{part}', f'Right-{part}'
            both = left in chosen and right in chosen
            assert (frozenset((left, right)) in pairs) == both
            assert ((left, right) in alone) == (left in chosen and not both)
            assert ((right, left) in alone) == (right in chosen and not both)


@pytest.mark.parametrize('given, error', [
    ({}, 'metainfo.classes is None: name the classes'),
    (dict(classes='person'), "is 'person': name"),
    (dict(classes=12), 'is 12: name'),
    (dict(classes=PLAIN, palette=range(12)), r'range\(0, 12\): list a colour'),
    (dict(classes=PLAIN, palette='red'), "is 'red': list a colour"),
    (dict(classes=PLAIN, flip_pairs=(4, 5)), r'\(4, 5\): list pairs of cla'),
    (dict(classes=('a', 'b', 'a')), "names 'a' twice"),
    (dict(classes=('a', 3)), 'holds 3, no name'),
    (dict(classes=[f'{i}' for i in range(256)]), '256 names; .* 255, 0-254'),
    (dict(classes=PLAIN, palette=[(0, 0, 0)]), '1 colours, .* 12 names'),
    (dict(classes=('a', ), palette=[(0, 0, 256)]), r'\[0, 0, 256\]: a colour'),
    (dict(classes=PLAIN, flip_pairs=[(14, 15)]), '14 is none of the 12 cla'),
    (dict(classes=PLAIN, flip_pairs=[('arm', 'hair')]), "'arm' is none of"),
    (dict(classes=PLAIN, flip_pairs=[(1, 2), (2, 3)]), 'in one pair at most'),
    (dict(classes=PLAIN, flip_pairs=[(1, 1)]), 'a pair is two classes'),
    (dict(classes=PLAIN, flip_pairs=[(1, 2, 3)]), 'a pair is two classes'),
    (dict(classes=SIDED, flip_pairs=[]), r'flip_pairs is none, .*\(4, 5\) '
     r'left_arm/right_arm, .*: set flip_pairs=\[\(4, 5\), \(6, 7\), \(9, 10'),
    (dict(classes=SIDED, flip_pairs=[(4, 6), (5, 7), (9, 10)]), 'left_arm/le'),
])  # yapf: disable
def test_contradictions_are_named(given, error):
    with pytest.raises(ValueError, match=error):
        label_set.complete_labels(given, {})


@pytest.mark.parametrize('pairs', [[], [(14, 15)], [(4, 5), (0, 1)]])
def test_a_selection_has_the_pairs_of_the_benchmark(pairs):
    classes = list(LIP['classes'][10:])  # arms are 4, 5
    for given in (pairs, [*LIP['flip_pairs']]):
        with pytest.raises(ValueError, match='flip_pairs'):
            label_set.complete_labels(
                dict(classes=classes, flip_pairs=given), LIP)
    right = [(4, 5), (6, 7), (8, 9)]
    assert label_set.complete_labels(
        dict(classes=classes, flip_pairs=right), LIP)['flip_pairs'] == right


def test_twins_differ_in_left_and_right_alone():
    assert label_set.twins_by_name(LIP['classes']) == list(LIP['flip_pairs'])
    assert label_set.twins_by_name(
        ('bright', 'cleft', 'hair', 'leftover')) == []
    names = ('R-Arm', 'l-arm', 'leg (left)', 'leg (right)', 'rightFoot',
             'leftFoot', 'pillar')
    assert label_set.twins_by_name(names) == [(0, 1), (2, 3), (4, 5)]


def test_colours_of_all_numbers_differ():
    colours = label_set.distinct_colours(255)
    assert len({tuple(c) for c in colours}) == 255
    assert all(0 <= v <= 255 for c in colours for v in c)
