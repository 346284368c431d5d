import os
import os.path as osp
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.runner import save_checkpoint

from saip_mm.weights import (AtomicBackend, atomic, replacing, write_file,
                             write_files)
from saip_mm.weights.atomic import _machine, partial_path, remove_leftovers

ARGS = dict(backend='atomic')


def test_registered_by_name(tmp_path):
    path = str(tmp_path / 'new' / 'a.pth')
    save_checkpoint(dict(x=torch.ones(2)), path, backend_args=ARGS)
    assert torch.load(path, weights_only=True)['x'].tolist() == [1, 1]
    assert isinstance(get_file_backend(path, backend_args=ARGS), AtomicBackend)
    assert os.listdir(tmp_path / 'new') == ['a.pth']


def test_text(tmp_path):
    AtomicBackend().put_text('ä', tmp_path / 'a.txt')
    assert AtomicBackend().get_text(tmp_path / 'a.txt') == 'ä'


def test_error_while_writing_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'a.bin'
    AtomicBackend().put(b'old', path)

    def fail(handle):
        raise OSError('disk full')

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(OSError, match='cannot write .*a.bin .*disk full'):
        AtomicBackend().put(b'new', path)
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['a.bin']


def test_files_that_belong_together_are_all_new_or_all_old(
        tmp_path, monkeypatch):
    paths = [tmp_path / 'new' / name for name in ('a.bin', 'b.bin')]
    write_files(dict(zip(paths, (b'1', b'2'))))
    assert [p.read_bytes() for p in paths] == [b'1', b'2']
    left, sync = [2], os.fsync

    def full_at_the_second(handle):
        left[0] -= 1
        if not left[0]:
            raise OSError(28, 'No space left on device')
        sync(handle)

    monkeypatch.setattr(os, 'fsync', full_at_the_second)
    with pytest.raises(OSError, match='cannot write .*b.bin .No space.*2 fil'):
        write_files(dict(zip(paths, (b'3', b'4'))))
    assert [p.read_bytes() for p in paths] == [b'1', b'2']
    assert sorted(os.listdir(tmp_path / 'new')) == ['a.bin', 'b.bin']


KILLED_WRITE = '''
import os, signal, sys
from saip_mm.engine import AtomicBackend


def kill(handle):  # the bytes are written, the rename is still to come
    os.kill(os.getpid(), signal.SIGKILL)


os.fsync = kill
AtomicBackend().put(b'new' * 1000, sys.argv[1])
'''


@pytest.mark.slow
def test_kill_while_writing_keeps_the_old_file(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    AtomicBackend().put(b'old', path)
    done = subprocess.run([sys.executable, '-c', KILLED_WRITE, str(path)])
    assert done.returncode == -9
    assert path.read_bytes() == b'old'
    # the leftover hides from globs, and the next save takes its place
    assert [p.name for p in tmp_path.glob('*.pth')] == ['epoch_1.pth']
    AtomicBackend().put(b'new', path)
    assert os.listdir(tmp_path) == ['epoch_1.pth']
    assert path.read_bytes() == b'new'


def test_two_runs_write_one_name_at_a_time(tmp_path):
    """Neither takes the other's unfinished file for its own."""
    path = tmp_path / 'last_checkpoint'
    contents = [bytes([65 + i]) * 100_000 for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            list(pool.map(partial(write_file, path), contents))
            assert path.read_bytes() in contents
    assert os.listdir(tmp_path) == ['last_checkpoint']


def test_another_process_at_work_is_left_alone(tmp_path):
    other = tmp_path / f'.a.pth.{_machine()}.{os.getppid()}.0a1b2c3d.partial'
    foreign = tmp_path / f'.a.pth.elsewhere.{2**22 + 1}.0a1b2c3d.partial'
    dead = tmp_path / f'.a.pth.{_machine()}.{2**22 + 1}.0a1b2c3d.partial'
    for leftover in (other, foreign, dead):
        leftover.write_bytes(b'half')
    write_file(tmp_path / 'a.pth', b'new')
    assert other.exists() and foreign.exists() and not dead.exists()


@pytest.mark.skipif(os.name != 'posix', reason='file size limits')
@pytest.mark.parametrize('before', [b'old', None])
def test_full_disk_is_named_and_the_old_file_kept(tmp_path, before):
    """A limit on the size of files stands in for the disk."""
    path = tmp_path / 'epoch_1.pth'
    if before:
        path.write_bytes(before)
    kept = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(
                OSError,
                match=r'cannot write .*epoch_1.pth \(5000 bytes, File too '
                r'large\): (its previous content is kept|nothing of it was '
                r'written); make room'):
            write_file(path, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, kept)
    assert os.listdir(tmp_path) == ['epoch_1.pth'] * bool(before)
    assert not before or path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='cannot write .*a.pth'):
        write_file(tmp_path / 'file' / 'a.pth', b'new')


def test_without_waiting_for_the_disk(tmp_path, monkeypatch):
    """By the thousand: neither flushed nor searched for leftovers."""
    monkeypatch.setattr(os, 'fsync', None)
    monkeypatch.setattr(atomic, 'remove_leftovers', None)
    write_file(tmp_path / 'a' / 'b.jpg', b'new', sync=False)
    assert (tmp_path / 'a' / 'b.jpg').read_bytes() == b'new'
    assert os.listdir(tmp_path / 'a') == ['b.jpg']


def test_leftovers_of_dead_processes_alone_are_removed(tmp_path, monkeypatch):
    path = tmp_path / 'a.jpg'
    with monkeypatch.context() as other:
        done = subprocess.run(
            [sys.executable, '-c', 'import os;'
             'print(os.getpid())'],
            capture_output=True)
        other.setattr(os, 'getpid', lambda: int(done.stdout))
        dead, folder = partial_path(path), partial_path(tmp_path / 'pack')
    alive, mine = partial_path(path), str(tmp_path / '.a.jpg.partial')
    os.makedirs(osp.join(folder, 'lmdb'))
    for name in (dead, alive, mine, osp.join(folder, 'lmdb', 'data.mdb')):
        open(name, 'w').close()
    remove_leftovers(str(tmp_path), 'pack')
    assert osp.exists(dead) and not osp.exists(folder)
    remove_leftovers(str(tmp_path))
    assert not osp.exists(dead) and osp.exists(alive) and osp.exists(mine)


@pytest.mark.parametrize('name', ['x' * 255, 'ü' * 127, '\udcff' * 200, '[*]'])
def test_any_name_a_disk_takes(tmp_path, name):
    for sync in (True, False):
        write_file(tmp_path / name, b'new', sync)
    assert os.listdir(tmp_path) == [name]


def test_piece_by_piece(tmp_path):
    path = tmp_path / 'made/a.bin'
    with replacing(path) as file:
        file.write(b'one')
        assert not path.exists()
        file.write(b'two')
    assert path.read_bytes() == b'onetwo'
    with pytest.raises(KeyError):
        with replacing(path) as file:
            file.write(b'new')
            raise KeyError
    with pytest.raises(
            OSError,
            match='cannot write .*a.bin .*No space left '
            '.*previous content is kept'):
        with replacing(path) as file:
            raise OSError(28, 'No space left on device')
    with pytest.raises(FileNotFoundError, match='other.bin'):
        with replacing(path) as file:
            open(tmp_path / 'other.bin')
    assert path.read_bytes() == b'onetwo'
    assert os.listdir(path.parent) == ['a.bin']
