import gzip
import importlib.util

import pytest

from saip_mm.tasks.text_reid import byte_pairs
from saip_mm.tasks.text_reid.byte_pairs import (BytePairs, byte_names,
                                                find_merges, read_merges)


def slow_pieces(word, merges):
    """Each merge once, in the list's order, wherever it fits."""
    names = byte_names()
    pieces = [names[b] for b in word.encode()]
    pieces[-1] += '</w>'
    again = True
    while again:  # a merge may make room for an earlier one
        again = False
        for first, second in merges:
            for at in range(len(pieces) - 1):
                if (pieces[at], pieces[at + 1]) == (first, second):
                    pieces[at:at + 2] = [first + second]
                    again = True
                    break
            if again:
                break
    return pieces


def test_merges_against_a_slow_restatement():
    merges = [('a', 'b'), ('b', 'c'), ('ab', 'ab'), ('c', 'a</w>'),
              ('ab', 'c'), ('abc', 'ab</w>'), ('b</w>', 'x'), ('a', 'b</w>')]
    pairs = BytePairs(merges)
    for word in ('a', 'ab', 'abab', 'abcab', 'bcbca', 'ababab', 'aabbcca'):
        wanted = [pairs.ids[piece] for piece in slow_pieces(word, merges)]
        assert list(pairs(word)) == wanted, word


def test_every_byte_has_a_name_of_its_own():
    names = byte_names()
    assert sorted(names) == list(range(256))
    assert len(set(names.values())) == 256
    assert not any(name.isspace() for name in names.values())


def test_a_file_which_is_no_list_of_merges(tmp_path):
    path = tmp_path / 'merges.gz'
    path.write_bytes(b'no gzip')
    with pytest.raises(ValueError, match='merges.gz.* no list of merges'):
        read_merges(str(path))
    with gzip.open(path, 'wt') as file:
        file.write('version\na b\nab c\n')
    assert read_merges(str(path), 2) == [('a', 'b'), ('ab', 'c')]
    with pytest.raises(ValueError, match='holds 2 lines of merges and 3'):
        read_merges(str(path), 3)
    with pytest.raises(FileNotFoundError, match='gone.gz'):
        find_merges(str(tmp_path / 'gone.gz'))


def test_without_mmsegmentation(monkeypatch):
    monkeypatch.setattr(byte_pairs, 'find_spec', lambda name: None)
    said = 'comes with mmsegmentation; pip install "saip_mm.text."'
    with pytest.raises(ImportError, match=said):
        find_merges()


def test_mmsegmentation_is_found_and_not_imported():
    if importlib.util.find_spec('mmseg') is None:
        pytest.skip('mmsegmentation is not installed')
    assert find_merges().endswith('bpe_simple_vocab_16e6.txt.gz')


@pytest.mark.parametrize('fault', ['cut', 'bit', 'order', 'twice'])
def test_a_damaged_vocabulary_is_refused(fault, tmp_path):
    """Its first 48 894 lines are there each time, and a few are wanted."""
    if importlib.util.find_spec('mmseg') is None:
        pytest.skip('mmsegmentation is not installed')
    with open(find_merges(), 'rb') as file:
        data = bytearray(file.read())
    if fault == 'cut':
        del data[len(data) // 2:]
    elif fault == 'bit':
        data[len(data) // 3] ^= 255
    else:
        lines = gzip.decompress(data).split(b'\n')
        lines[10:12] = (lines[11], lines[10 if fault == 'order' else 11])
        data = gzip.compress(b'\n'.join(lines), 1)
    path = tmp_path / 'copy.gz'
    path.write_bytes(data)
    with pytest.raises(ValueError, match='copy.gz.*it must be a copy of bpe'):
        read_merges(str(path), 100)
