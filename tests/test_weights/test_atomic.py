import os
import os.path as osp
import subprocess
import sys

import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import save_checkpoint

from saip_mm.engine import AtomicBackend
from saip_mm.weights import atomic, write_file
from saip_mm.weights.atomic import partial_path, remove_leftovers
from ..test_engine.toy import toy_runner

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
    with pytest.raises(OSError, match='disk full'):
        AtomicBackend().put(b'new', path)
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['a.bin']


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


@pytest.mark.parametrize('keep', [2, 3])
def test_a_good_checkpoint_is_left_when_saving_fails(tmp_path, monkeypatch,
                                                     keep):
    """The hook removes the oldest first: the newest must be another one."""
    hook = dict(
        type='CheckpointHook',
        interval=1,
        max_keep_ckpts=keep,
        backend_args=ARGS)
    put = AtomicBackend.put

    def fail_at_epoch_4(self, obj, path):
        if str(path).endswith('epoch_4.pth'):
            raise KeyboardInterrupt
        put(self, obj, path)

    monkeypatch.setattr(AtomicBackend, 'put', fail_at_epoch_4)
    runner = toy_runner(
        tmp_path, epochs=5, default_hooks=dict(checkpoint=hook))
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    assert isinstance(runner.hooks[-1], CheckpointHook)
    last = (tmp_path / 'last_checkpoint').read_text()
    assert last.endswith('epoch_3.pth')
    assert torch.load(last, weights_only=False)['meta']['epoch'] == 3


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
