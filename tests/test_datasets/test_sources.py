import json
import os
import os.path as osp
import pickle
import unicodedata

import pytest

from saip_mm.datasets import (FolderSource, LmdbSource, PersonImages,
                              build_source, pack_lmdb, sources)
from saip_mm.datasets.sources import lmdb_path
from ._images import NAMES, keys_of, write_tree

PIPELINE = [
    dict(type='DecodeImage'),
    dict(
        type='PersonCrops',
        size=(32, 16),
        background_size=None,
        num_scales=0,
        num_locals=0)
]


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(sources, 'print_log',
                        lambda text, **kwargs: lines.append(text))
    return lines


def test_tree_is_walked_in_sorted_order(tree):
    open(osp.join(tree, 'notes.txt'), 'w').close()
    open(osp.join(tree, '._b.jpg'), 'w').close()
    assert keys_of(PersonImages(tree)) == sorted(NAMES)


def test_linked_folders_are_walked_once(tree, tmp_path):
    outside = write_tree(tmp_path / 'outside', ['o.jpg'])
    os.symlink(outside, osp.join(tree, 'c'))
    os.symlink(tree, osp.join(tree, 'zz'))  # a cycle
    assert keys_of(PersonImages(tree)) == sorted(NAMES + ['c/o.jpg'])


@pytest.mark.parametrize('form', ['txt', 'list', 'dict', 'json'])
def test_list_files(tree, form):
    keys = ['b.jpg', 'a/x y.jpg']  # not sorted: the list's order counts
    path = osp.join(tree, 'keys.' + dict(list='pkl', dict='pkl').get(
        form, form))  # yapf: disable
    if form == 'txt':
        with open(path, 'w') as file:
            file.write('\n'.join(keys))
    elif form == 'json':
        items = [dict(img_path=k) for k in keys]
        with open(path, 'w') as file:
            json.dump(dict(metainfo={}, data_list=items), file)
    else:
        with open(path, 'wb') as file:
            pickle.dump(keys if form == 'list' else dict(keys=keys), file)
    source = dict(data_root=tree, ann_file=osp.basename(path))
    assert keys_of(PersonImages(source)) == keys
    assert keys_of(PersonImages(dict(source, num_samples=1))) == keys[:1]


def test_composed_names_in_the_list_open_decomposed_files(tmp_path):
    name = unicodedata.normalize('NFD', 'é.jpg')
    root = write_tree(tmp_path, [name])
    (tmp_path / 'l.txt').write_text('é.jpg', encoding='utf-8')
    data = PersonImages(dict(data_root=root, ann_file='l.txt'), PIPELINE)
    assert data[0]['replaced'] == 0


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.*set data_root"):
        PersonImages(str(tmp_path / 'nowhere'))


def test_empty_folder(tmp_path):
    with pytest.raises(ValueError, match='holds no image.*unpacked'):
        PersonImages(str(tmp_path))


def test_missing_or_wrong_list(tree):
    with pytest.raises(FileNotFoundError, match='l.txt.*build_image_list'):
        PersonImages(dict(data_root=tree, ann_file='l.txt'))
    open(osp.join(tree, 'l.txt'), 'w').close()
    with pytest.raises(ValueError, match='l.txt.*names no image'):
        PersonImages(dict(data_root=tree, ann_file='l.txt'))
    open(osp.join(tree, 'l.csv'), 'w').close()
    with pytest.raises(ValueError, match='l.csv.*none of .txt, .pkl, .json'):
        PersonImages(dict(data_root=tree, ann_file='l.csv'))


def test_home_is_meant_by_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    root = write_tree(tmp_path / 'data', ['a.jpg', 'b.jpg'])
    (tmp_path / 'l.txt').write_text('b.jpg\n')
    data = PersonImages(dict(data_root='~/data', ann_file='~/l.txt'))
    assert data.key(0) == 'b.jpg' and data.sources[0].root == root


def test_files_left_out_of_a_folder_are_told_in_one_line(tmp_path, said):
    root = write_tree(tmp_path / 'i', ['a.jpg', 'b.JFIF', 'c.jpe'])
    for name in ('x.heic', 'y.heic', 'z.txt', 'README', '._a.jpg',
                 '.DS_Store'):
        (tmp_path / 'i' / name).write_bytes(b'')
    os.symlink('gone', osp.join(root, 'dangling.jpg'))
    os.symlink('loop.jpg', osp.join(root, 'loop.jpg'))
    os.mkfifo(osp.join(root, 'pipe.jpg'))
    write_tree(tmp_path / 'i' / 'folder.jpg', ['d.jpg'])
    data = PersonImages(root)
    assert [data.key(i) for i in range(len(data))
            ] == ['a.jpg', 'b.JFIF', 'c.jpe', 'folder.jpg/d.jpg']
    line, = said
    assert f"'{root}': 9 files left out" in line
    for part in ('3 no file', '2 .heic', '1 .txt', '1 no suffix', '1 ._*'):
        assert part in line


def test_names_with_odd_characters(tmp_path):
    names = ['a\nb.jpg', os.fsdecode(b'\xff\xfe.jpg'), 'x' * 251 + '.jpg', '"']
    root = write_tree(tmp_path / 'i', [n for n in names if len(n) > 1])
    data = PersonImages(root)
    assert {data.key(i) for i in range(3)} == set(names[:3])
    for i in range(3):
        assert data.sources[0].read(data.key(i))


def test_lmdb_and_folder_give_the_same(packed):
    root, out = packed
    folder, database = FolderSource(root), LmdbSource(out)
    assert list(folder.keys) == list(database.keys) == sorted(NAMES)
    for key in NAMES:
        assert folder.read(key) == database.read(key)


def test_both_forms_of_keys_pkl_and_none(packed):
    out = packed[1]
    path = osp.join(out, 'keys.pkl')
    for content in (NAMES, dict(keys=NAMES, pids=[0] * 6)):
        with open(path, 'wb') as file:
            pickle.dump(content, file)
        for root in (out, osp.join(out, 'lmdb')):
            assert list(LmdbSource(root).keys) == NAMES
    os.remove(path)
    assert list(LmdbSource(out).keys) == sorted(NAMES)


def test_list_beside_an_lmdb(packed):
    with open(osp.join(packed[1], 'two.txt'), 'w') as file:
        file.write('é.jpg\nb/2.jpg\n')
    data = PersonImages(
        dict(data_root=packed[1], ann_file='two.txt'), PIPELINE)
    assert [s['key'] for s in data] == ['é.jpg', 'b/2.jpg']


def test_missing_key_is_named(packed):
    with pytest.raises(FileNotFoundError, match="lmdb' has no key 'gone'"):
        LmdbSource(packed[1]).read('gone')


def test_no_database(tmp_path):
    with pytest.raises(FileNotFoundError, match='no data.mdb'):
        LmdbSource(str(tmp_path))


def test_keys_that_are_no_utf_8(packed):
    import lmdb
    os.remove(osp.join(packed[1], 'keys.pkl'))
    env = lmdb.open(osp.join(packed[1], 'lmdb'), map_size=1 << 26)
    with env.begin(write=True) as transaction:
        transaction.put(b'\xff\xfe.jpg', transaction.get(b'b.jpg'))
    env.close()
    source = LmdbSource(packed[1])
    assert len(source.keys) == len(NAMES) + 1
    assert source.read(source.keys[-1]) == source.read('b.jpg')


@pytest.mark.parametrize('keys,message', [
    ([('0.jpg', 1)], 'entry 0 is'), (dict(pids=[1]), "without 'keys'")])  # yapf: disable  # noqa: E501
def test_keys_of_other_forms_are_named(packed, keys, message):
    path = osp.join(packed[1], 'keys.pkl')
    with open(path, 'wb') as file:
        pickle.dump(keys, file)
    with pytest.raises(ValueError, match=message) as error:
        PersonImages(packed[1])
    assert path in str(error.value)


def test_errors_of_lmdb_name_the_file_and_the_key(packed, monkeypatch):
    import lmdb

    class Damaged:

        def begin(self):
            raise lmdb.CorruptedError('mdb_get')

    source = LmdbSource(packed[1])
    monkeypatch.setattr(sources, 'open_lmdb', lambda path: Damaged())
    with pytest.raises(OSError, match="LMDB '.*lmdb', key 'b.jpg': mdb_get"):
        source.read('b.jpg')


def test_composed_names_find_decomposed_keys_of_an_lmdb(tmp_path):
    pytest.importorskip('lmdb')
    name = unicodedata.normalize('NFD', 'é.jpg')
    folder = FolderSource(write_tree(tmp_path / 'i', [name]))
    pack_lmdb(folder, str(tmp_path / 'o'))
    source = LmdbSource(str(tmp_path / 'o'))
    assert source.read('é.jpg') == source.read(name) == folder.read('é.jpg')
    for wrong in ('è.jpg', 'e.jpg'):
        with pytest.raises(FileNotFoundError):
            folder.read(wrong)
        with pytest.raises(FileNotFoundError, match=f"no key '{wrong}'"):
            source.read(wrong)


def test_an_lmdb_without_images_is_named(tmp_path):
    lmdb = pytest.importorskip('lmdb')
    lmdb.open(str(tmp_path / 'lmdb'), map_size=1 << 20).close()
    with pytest.raises(ValueError, match='holds no image; pack one with'):
        LmdbSource(str(tmp_path))


def test_a_macs_keys_of_an_lmdb_are_left_out(tmp_path):
    lmdb = pytest.importorskip('lmdb')
    with lmdb.open(str(tmp_path), map_size=1 << 20) as env:
        with env.begin(write=True) as transaction:
            for key in (b'._a.jpg', b'a.jpg', b'd/._b.jpg'):
                transaction.put(key, b'x')
    assert list(LmdbSource(str(tmp_path)).keys) == ['a.jpg']


def test_where_the_database_is(packed, tmp_path):
    tree, out = packed
    inner = osp.join(out, 'lmdb')
    assert lmdb_path(out) == lmdb_path(inner) == inner
    assert lmdb_path(tree) is None and lmdb_path(str(tmp_path)) is None
    source = LmdbSource(inner)
    assert source.read('b.jpg')
    source.close()
    assert source.read('b.jpg')  # opens it anew


def test_sources_are_told_apart_by_what_is_there(packed):
    tree, out = packed
    assert isinstance(build_source(tree), FolderSource)
    assert isinstance(build_source(out), LmdbSource)
    below = build_source(tree, data_prefix='a')
    assert list(below.keys) == ['9.png', 'x y.jpg']
    assert below.read('9.png') == build_source(tree).read('a/9.png')


def test_so_many_of_the_first_keys(packed):
    for root in packed:
        assert list(build_source(root).keys) == sorted(NAMES)
        some = build_source(root, num_samples=2)
        assert list(some.keys) == sorted(NAMES)[:2]
        assert len(build_source(root, num_samples=1).keys) == 1
        assert len(build_source(root, num_samples=99).keys) == len(NAMES)
        with pytest.raises(ValueError, match=f"at least 1, got 0 for '{root}"):
            build_source(root, num_samples=0)


@pytest.mark.parametrize('kinds', [8, 9])
def test_the_rarest_kinds_left_out_are_dots(tmp_path, said, kinds):
    root = write_tree(tmp_path / 'i', ['a.jpg'])
    for kind in range(kinds):
        for copy in range(kind + 1):
            (tmp_path / 'i' / f'{copy}.x{kind}').write_bytes(b'')
    FolderSource(root)
    line, = said
    assert f'{kinds * (kinds + 1) // 2} files left out' in line
    assert f': {kinds} .x{kinds - 1}, {kinds - 1} .x{kinds - 2}, ' in line
    assert ('...' in line) == (kinds == 9) == ('.x0' not in line)


def test_nothing_is_told_where_nothing_is_left_out(tree, said):
    FolderSource(tree)
    assert said == []


def test_hidden_folders_are_not_searched(tree):
    write_tree(osp.join(tree, '.cache'), ['z.jpg'])
    assert list(FolderSource(tree).keys) == sorted(NAMES)
