"""No list of images runs code: every door, several ways to hide a call."""
import os
import os.path as osp
import pickle
import subprocess
import sys

import numpy as np
import pytest

from saip_mm.datasets import (FolderSource, LmdbSource, PersonImages,
                              build_image_list, build_source, pack_lmdb)
from saip_mm.datasets.key_list import read_keys
from saip_mm.datasets.plain_pickle import UnsafePickleError, read_plain_pickle
from ..test_tools.tool import run_tool
from ._images import write_tree

pytest.importorskip('lmdb')
PYTHON_2 = dict(builtins='__builtin__', subprocess='commands')  # spelling
CALLS = {
    'subprocess.call': lambda path: (subprocess.call, (['touch', path], )),
    'posix.system': lambda path: (os.system, (f'touch {path}', )),
    'builtins.eval': lambda path: (eval, (f"open({path!r}, 'w').close()", )),
    'builtins.exec': lambda path: (exec, (f"open({path!r}, 'w').close()", )),
}


class Call:
    """Pickles as a call, run by whoever reads it in the usual way."""

    def __init__(self, call):
        self.call = call

    def __reduce__(self):
        return self.call


def spoken(protocol, call, keys):
    """The same call as the list itself, or beside harmless keys."""
    return pickle.dumps(dict(keys=keys, meta=Call(call)), protocol)


def os_system(path):
    """``os.system`` by that name, as an attacker writes it by hand."""
    return b"cos\nsystem\n(S'touch " + path.encode() + b"'\ntR."


def packed(tmp_path):
    root = write_tree(tmp_path / 'images', ['a.jpg', 'b.jpg'])
    out = str(tmp_path / 'packed')
    pack_lmdb(FolderSource(root), out)
    return out


def of_list(tmp_path, data):
    root = write_tree(tmp_path / 'images', ['a.jpg', 'b.jpg'])
    with open(osp.join(root, 'keys.pkl'), 'wb') as file:
        file.write(data)
    return root


def of_lmdb(tmp_path, data):
    out = packed(tmp_path)
    with open(osp.join(out, 'keys.pkl'), 'wb') as file:
        file.write(data)
    return out


def inside(tmp_path, data):
    out = of_lmdb(tmp_path, data)
    os.rename(osp.join(out, 'keys.pkl'), osp.join(out, 'lmdb', 'keys.pkl'))
    return out


DOORS = {
    'read_keys':
    lambda t, d: read_keys(osp.join(of_list(t, d), 'keys.pkl')),
    'train, list':
    lambda t, d: PersonImages(
        dict(data_root=of_list(t, d), ann_file='keys.pkl')),
    'train, background':
    lambda t, d: PersonImages(
        write_tree(t / 'p', ['p.jpg']),
        background=dict(data_root=of_list(t, d), ann_file='keys.pkl')),
    'train, LMDB':
    lambda t, d: PersonImages(of_lmdb(t, d)),
    'train, LMDB, inside':
    lambda t, d: PersonImages(inside(t, d)),
    'LmdbSource':
    lambda t, d: LmdbSource(osp.join(of_lmdb(t, d), 'lmdb')),
    'pack_lmdb':
    lambda t, d: pack_lmdb(build_source(of_lmdb(t, d)), str(t / 'o')),
    'build_image_list':
    lambda t, d: build_image_list(
        build_source(of_list(t, d), 'keys.pkl'), str(t / 'l.txt')),
    'pack_lmdb.py':
    lambda t, d: run_tool('pack_lmdb.py', of_list(t, d), t / 'o', '--keys',
                          'keys.pkl'),
    'build_image_list.py':
    lambda t, d: run_tool('build_image_list.py', of_lmdb(t, d), t / 'l.txt'),
}


@pytest.mark.parametrize('protocol', [0, 2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize('call', CALLS)
@pytest.mark.parametrize('door', DOORS)
def test_no_door_runs_code(tmp_path, door, call, protocol):
    marker = tmp_path / 'ran'
    data = spoken(protocol, CALLS[call](str(marker)), ['a.jpg'])
    with pytest.raises((UnsafePickleError, SystemExit)) as error:
        DOORS[door](tmp_path, data)
    name = call.replace('posix', os.system.__module__)
    assert not marker.exists()
    assert 'keys.pkl' in str(error.value)
    for new, old in PYTHON_2.items():
        name = name.replace(new, old) if protocol < 3 else name
    assert f'holds objects of {name}, which could run code' in str(error.value)


@pytest.mark.parametrize('door', DOORS)
def test_no_door_runs_a_bare_call(tmp_path, door):
    marker = tmp_path / 'ran'
    with pytest.raises((UnsafePickleError, SystemExit), match='os.system'):
        DOORS[door](tmp_path, os_system(str(marker)))
    assert not marker.exists()


def test_the_payloads_do_run_elsewhere(tmp_path):
    """Else the tests above would show nothing."""
    for i, call in enumerate(CALLS.values()):
        marker = tmp_path / str(i)
        pickle.loads(spoken(2, call(str(marker)), []))
        assert marker.exists()


def test_harmless_classes_are_named(tmp_path):
    path = tmp_path / 'k.pkl'
    path.write_bytes(pickle.dumps(np.array(['a.jpg'])))
    with pytest.raises(UnsafePickleError, match='numpy.*as plain lists'):
        read_plain_pickle(str(path))


@pytest.mark.parametrize('content', [
    ['a', 'ü'], dict(keys=[b'a', 'b'], pids=[1, 2.5, None, True]), (1, {2}),
    list(range(70_000))
])  # yapf: disable
@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_plain_types(tmp_path, content, protocol):
    if protocol < 4 and isinstance(content, (dict, tuple)):
        pytest.skip('bytes or sets are calls there')
    path = tmp_path / 'k.pkl'
    path.write_bytes(pickle.dumps(content, protocol))
    assert read_plain_pickle(str(path)) == content


def test_strings_of_python_2(tmp_path):
    path = tmp_path / 'k.pkl'
    path.write_bytes(b"\x80\x02]U\x05\xc3\xbc.jpa.")
    assert read_plain_pickle(str(path)) == ['ü.jp']


@pytest.mark.parametrize('data', [
    b'', b'text', b'\x80\x05', b'.', b'(lp0\n', b'\xff' * 40,
    pickle.dumps(list('abc'))[:-3], b'\x80\x04\x95\xff\xff\xff\xff\xff\xff.',
])  # yapf: disable
def test_damage_is_told_from_code(tmp_path, data):
    path = tmp_path / 'k.pkl'
    path.write_bytes(data)
    with pytest.raises(ValueError, match='k.pkl.*damaged, cut short') as error:
        read_plain_pickle(str(path))
    assert not isinstance(error.value, UnsafePickleError)


def test_flipped_bytes_raise_nothing_else(tmp_path):
    data = pickle.dumps(dict(keys=[f'{i}/ü.jpg' for i in range(20)]))
    rng, path = np.random.default_rng(0), tmp_path / 'k.pkl'
    for _ in range(400):
        broken = np.frombuffer(data, np.uint8).copy()
        broken[rng.integers(len(data), size=2)] = rng.integers(256, size=2)
        path.write_bytes(broken.tobytes())
        try:
            read_keys(str(path))
        except ValueError as error:
            assert 'k.pkl' in str(error)


def test_modules_are_not_even_imported(tmp_path):
    path = tmp_path / 'k.pkl'
    path.write_bytes(b'cantigravity\nfly\n.')
    with pytest.raises(UnsafePickleError, match='antigravity.fly'):
        read_plain_pickle(str(path))
    assert 'antigravity' not in sys.modules
