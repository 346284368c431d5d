import os
import signal
import tracemalloc

import numpy as np
import pytest
import torch

from saip_mm.apis.array_file import (RowsInFile, RowsInMemory, map_arrays,
                                     memory_or_file)

SHAPES = dict(a=(3, ), b=(2, 2))


def fill(rows, counts=(2, 1, 3)):
    """Rows of rising numbers, some at a time."""
    start = 0
    for count in counts:
        numbers = np.arange(start, start + count)
        rows.append({
            name:
            np.zeros((count, *shape)) + numbers.reshape(-1, *[1] * len(shape))
            for name, shape in SHAPES.items()
        })
        start += count
    return rows.finish(paths=np.array(['x', 'äß/ y']), size=np.array((8, 4)))


@pytest.mark.parametrize('dtype', ['float32', 'float16'])
def test_file_and_memory_hold_the_same(dtype, tmp_path):
    out = str(tmp_path / 'made/x.npz')
    with memory_or_file(out, 9, SHAPES, dtype) as rows:
        written = fill(rows)
    with memory_or_file(None, 9, SHAPES, dtype) as rows:
        kept = fill(rows)
    assert os.listdir(tmp_path / 'made') == ['x.npz']
    loaded = np.load(out, allow_pickle=False)
    assert set(loaded) == set(written) == set(kept) == {
        *SHAPES, 'paths', 'size'
    }
    for name in kept:
        np.testing.assert_array_equal(loaded[name], kept[name])
        np.testing.assert_array_equal(written[name], kept[name])
        assert loaded[name].dtype == written[name].dtype == kept[name].dtype
    assert kept['b'].shape == (6, 2, 2) and kept['b'].dtype == dtype
    assert isinstance(written['a'], np.memmap)
    assert written['paths'].tolist() == ['x', 'äß/ y']
    assert torch.from_numpy(np.array(written['b'])).sum() == 60


def test_memory_does_not_grow_with_the_rows(tmp_path):
    block = dict(a=np.ones((64, 16384), np.float32))  # 4 MiB
    tracemalloc.start()
    with RowsInFile(str(tmp_path / 'x.npz'), dict(a=(16384, )),
                    'float32') as rows:
        for _ in range(16):
            rows.append(block)
        found = rows.finish(paths=np.array(['x'] * 1024))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found['a'].nbytes == 64 << 20 and found['a'][-1].sum() == 16384
    assert peak < 6 << 20


def test_nothing_is_left_of_what_fails(tmp_path):
    out = tmp_path / 'x.npz'
    out.write_bytes(b'old')
    with pytest.raises(RuntimeError):
        with RowsInFile(str(out), SHAPES, 'float32') as rows:
            rows.append({n: np.ones((1, *s)) for n, s in SHAPES.items()})
            raise RuntimeError
    assert out.read_bytes() == b'old' and os.listdir(tmp_path) == ['x.npz']


def test_a_kill_leaves_the_old_file_and_the_next_run_tidies(tmp_path):
    out = tmp_path / 'x.npz'
    out.write_bytes(b'old')
    child = os.fork()
    if not child:
        with RowsInFile(str(out), SHAPES, 'float32') as rows:
            rows.append({n: np.ones((1, *s)) for n, s in SHAPES.items()})
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert out.read_bytes() == b'old' and len(os.listdir(tmp_path)) == 2
    with RowsInFile(str(out), SHAPES, 'float32') as rows:
        fill(rows)
    assert os.listdir(tmp_path) == ['x.npz']


def test_a_full_disk_names_the_file(tmp_path):
    if not os.path.exists('/dev/full'):
        pytest.skip('no /dev/full here')
    out = str(tmp_path / 'x.npz')
    with pytest.raises(OSError, match=r'cannot write .*x.npz \(No space left'):
        with RowsInFile(out, dict(a=(3, )), 'float32') as rows:
            rows.files['a'] = open('/dev/full', 'wb', buffering=0)
            rows.append(dict(a=np.ones((1, 3))))
    assert os.listdir(tmp_path) == []


def test_any_npz_is_read_or_refused(tmp_path):
    path = tmp_path / 'x.npz'
    arrays = dict(
        a=np.arange(6).reshape(2, 3),
        empty=np.zeros((0, 3)),
        turned=np.asfortranarray(np.eye(2)),
        one=np.array(3))
    for save in (np.savez, np.savez_compressed):
        save(path, **arrays)
        found = map_arrays(path)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
    content = path.read_bytes()
    np.savez(path, a=np.array([dict()], object))
    with pytest.raises(ValueError, match='x.npz. is no .npz file of plain'):
        map_arrays(path)
    path.write_bytes(content[:-30])
    with pytest.raises(ValueError, match='or cut short'):
        map_arrays(path)
    with pytest.raises(FileNotFoundError, match='y.npz. does not exist'):
        map_arrays(tmp_path / 'y.npz')


def test_rows_that_did_not_come_are_not_there():
    rows = RowsInMemory(5, dict(a=(2, )), 'float32')
    rows.append(dict(a=np.ones((3, 2))))
    assert rows.finish()['a'].shape == (3, 2)
