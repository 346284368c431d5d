"""Counting what a user has, beside what was published."""
import importlib
import inspect

import pytest

from saip_mm.datasets.prepare.data_check import (Counted, check_data_set,
                                                 compare, count_files)
from saip_mm.datasets.prepare.data_sets import DATA_SETS, DataSet
from .._images import write_tree

PUBLISHED = DataSet(
    'A set', 'data/a', '', {
        'pictures': 3,
        'persons': 1200
    }, if_less='see B')


@pytest.mark.parametrize('numbers, word', [
    (dict(pictures=3, persons=1200), 'complete'),
    (dict(pictures=3, persons=1200, cameras=6), 'complete'),
    (dict(pictures=3, persons=1199), 'less than was published'),
    (dict(pictures=3), 'less than was published'),
    ({}, 'less than was published'),
    (dict(pictures=4, persons=1200), 'other than published'),
    (dict(pictures=4, persons=3), 'other than published'),
])
def test_verdicts(numbers, word):
    verdict = compare(PUBLISHED, 'root', Counted(numbers))
    assert verdict.word == word and verdict.usable
    assert verdict.lines[-1].startswith(f'verdict: {word}')
    assert ('see B' in verdict.lines[-1]) == word.startswith('less')


def test_report_shows_both_numbers_and_what_is_wrong():
    counted = Counted(
        dict(pictures=3, cameras=6), ['a.jpg is\n  empty'], ['an LMDB'])
    verdict = compare(PUBLISHED, 'here', counted)
    assert verdict.word == 'not usable as it is' and not verdict.usable
    assert verdict.lines == [
        'A set, here',
        '                  found    published',
        '  pictures            3            3',
        '  cameras             6            -',
        '  persons             -        1,200  -1,200',
        'note: an LMDB',
        'error: a.jpg is empty',
        'verdict: not usable as it is',
    ]


def test_settings_that_messages_name_are_told_apart_from_options():
    verdict = compare(PUBLISHED, 'mine', Counted({}, ['no a: set data_root']))
    assert verdict.lines[-2] == (
        'note: data_root, a setting of the configs, is mine here, by --root')


def test_files_are_counted_and_faults_named(tmp_path):
    names = [f'{i}.jpg' for i in range(6)]
    write_tree(tmp_path, names)
    paths = [str(tmp_path / name) for name in names]
    whole = (tmp_path / '0.jpg').read_bytes()
    (tmp_path / '1.jpg').write_bytes(b'')
    (tmp_path / '2.jpg').write_bytes(whole[:-20])
    (tmp_path / '3.jpg').write_text('no picture')
    (tmp_path / '4.jpg').unlink()
    sizes = [(120, 60), None, None, None, None, (60, 61)]
    counted = Counted()
    assert count_files(paths, 'pictures', counted) == 4
    assert counted.problems == [
        f'1 of 6 pictures are empty (0 bytes): copy them again, first '
        f'{paths[1]}',
        f'1 of 6 pictures are missing or cannot be read, first {paths[4]}',
    ]
    counted = Counted()
    assert count_files(paths, 'pictures', counted, True, sizes) == 1
    faults = ('are empty', 'are cut short', 'are no pictures', 'are missing',
              'another size')
    for path, fault in zip(paths[1:], faults):
        problem, = (p for p in counted.problems if p.endswith(path))
        assert fault in problem
    sizes[-1] = (60, 120)  # turned by EXIF
    assert count_files(paths, 'pictures', Counted(), True, sizes) == 2


@pytest.mark.parametrize('name', DATA_SETS)
def test_a_folder_that_is_not_there(name, tmp_path):
    verdict = check_data_set(name, str(tmp_path / 'gone'))
    assert not verdict.usable
    assert "there is no folder '" in verdict.lines[-2]
    assert 'docs/data.md' in verdict.lines[-2]


@pytest.mark.parametrize('name', DATA_SETS)
def test_counting_functions_take_what_they_are_given(name):
    module, function = DATA_SETS[name].count.split(':')
    try:
        count = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        pytest.skip(f'needs {error.name}')
    assert list(inspect.signature(count).parameters) == ['root', 'read']


def test_unknown_names_and_libraries_that_are_missing(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="'coko' is no .* market1501, .*coco"):
        check_data_set('coko')
    monkeypatch.setitem(DATA_SETS, 'x',
                        DataSet('X', 'data/x', 'no_such_library:count'))
    with pytest.raises(ImportError, match='X is read by .* no_such_library'):
        check_data_set('x', str(tmp_path))
