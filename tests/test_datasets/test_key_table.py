import numpy as np
import pytest

from saip_mm.datasets import KeyTable, key_table


def test_key_table_equals_a_list():
    keys = ['a', 'ü/β.jpg', '', 'x y', '\udcff.jpg']
    table = KeyTable(iter(keys))
    assert list(table) == keys and len(table) == 5
    assert table[-1] == keys[-1] and list(table.head(2)) == keys[:2]
    assert not len(KeyTable())


@pytest.mark.parametrize('text,keys', [
    (b'a\nb c\n', ['a', 'b c']),
    (b'a\r\nb c\r\n\r\n', ['a', 'b c']),
    (b'\n\na\n\nb c', ['a', 'b c']),
    (b'\xef\xbb\xbfa\nb c ', ['a', 'b c ']),
    (b'\xc3\xa9', ['é']),
    (b'\n', []),
    (b'', []),
])
def test_text_lists(tmp_path, text, keys):
    path = tmp_path / 'list.txt'
    path.write_bytes(text)
    assert list(KeyTable.from_text(str(path))) == keys


def test_selecting_keys_shares_the_text():
    table = KeyTable(['a', '._b', 'c'])
    assert table.apple_doubles().tolist() == [False, True, False]
    assert list(table.select(~table.apple_doubles())) == ['a', 'c']


@pytest.mark.parametrize('step', [1, 2, 5, 1 << 26])
def test_texts_are_looked_at_in_parts(tmp_path, monkeypatch, step):
    """Line breaks and keys on the borders of the parts."""
    monkeypatch.setattr(key_table, 'STEP', step)
    path = tmp_path / 'l.txt'
    path.write_bytes(b'ab\n\r\n._c\nd/._e\r\nf._g\n._\n')
    table = KeyTable.from_text(str(path))
    assert list(table) == ['ab', '._c', 'd/._e', 'f._g', '._']
    assert table.apple_doubles().tolist() == [False, True, True, False, True]


def test_a_part_of_a_table_is_a_table():
    table = KeyTable(['a', 'bc', '', 'd'])
    assert list(table.head(3)) == ['a', 'bc', ''] == list(
        table.head(3).head(9))
    chosen = table.select(np.array([3, 1]))
    assert list(chosen) == ['d', 'bc'] and chosen.buffer is table.buffer
    assert [table[np.int64(1)], chosen[0]] == ['bc', 'd']
    with pytest.raises(IndexError):
        table[4]
