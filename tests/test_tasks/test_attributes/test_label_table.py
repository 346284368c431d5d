import numpy as np
import pytest

from saip_mm.tasks.attributes.label_table import (LabelTable, check_names,
                                                  check_values, label_ratio,
                                                  missing_images, one_sided,
                                                  repeated_images)
from ...test_datasets._images import write_tree

NAMES = ('hat', 'bag', 'shoes')


def test_selects_columns_and_rows():
    table = LabelTable(NAMES, ['a', 'b'], np.array([[1, 0, -1], [0, 1, 1]]),
                       np.array([4, 7]))
    chosen = table.select(('shoes', 'hat'), 'list.csv').rows(np.array([1]))
    assert chosen.names == ('shoes', 'hat') and chosen.images == ['b']
    assert chosen.labels.tolist() == [[1, 0]] and chosen.pids.tolist() == [7]
    with pytest.raises(
            ValueError,
            match='list.csv has no attribute scarf; it '
            'has hat, bag, shoes: correct metainfo.classes'):
        table.select(('hat', 'scarf'), 'list.csv')


def test_values():
    labels = check_values(np.array([[1, 0, -1], [2, 1, 0]]), NAMES, 'f',
                          two_is_zero=True)  # yapf: disable
    assert labels.dtype == np.int8
    assert labels.tolist() == [[1, 0, -1], [0, 1, 0]]
    with pytest.raises(
            ValueError,
            match="f: attribute 'bag' has value 7 in "
            r'row 1 \(and 0 others\)'):
        check_values(np.array([[1, 0, 0], [0, 7, 0]]), NAMES, 'f')


def test_names():
    assert check_names(['hat', 'bag'], 'x') == ('hat', 'bag')
    for wrong, said in (('hat', 'name the attributes'), ((), 'name the'),
                        (('hat', 3), 'holds 3, no name'),
                        (('hat', 'hat'), "names 'hat' twice")):
        with pytest.raises(ValueError, match=said):
            check_names(wrong, 'metainfo.classes')


def test_ratio_is_of_what_is_labelled():
    labels = np.array([[1, 0, -1, -1], [1, 1, 1, -1], [1, 0, 0, -1]])
    ratio = label_ratio(labels)
    assert ratio.dtype == np.float64
    assert ratio == pytest.approx([1, 1 / 3, 0.5, 0])
    assert one_sided(('a', 'b', 'c', 'd'),
                     ratio) == 'no picture has d; all have a'
    assert one_sided(('b', ), ratio[1:2]) == ''


def test_missing_images(tmp_path):
    root = write_tree(tmp_path, ['a/1.jpg', 'b/2.jpg'])
    paths = [f'{root}/{n}' for n in ('a/1.jpg', 'a/2.jpg', 'b/2.jpg', 'c/1')]
    assert missing_images(paths) == [paths[1], paths[3]]


def test_a_picture_that_comes_again_is_told():
    labels = np.array([[1, 0], [0, 1], [1, 0], [0, -1], [0, 1]])
    table = LabelTable(('hat', 'bag'), ['a', 'b', 'a', 'b', 'c'], labels)
    assert repeated_images(table) == (
        'pictures come again: 2, 1 of them with other labels, first b')
    assert repeated_images(table.rows(np.array([0, 1, 4]))) == ''


def test_rows_are_those_of_the_file():
    with pytest.raises(ValueError, match="'hat' has value 7 in row 12"):
        check_values(np.array([[0], [7]]), ('hat', ), 'f', [5, 12])
