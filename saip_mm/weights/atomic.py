"""Writing files whole or not at all: the one place that does."""
import os
import os.path as osp
import re
import shutil
import socket
import uuid
from contextlib import contextmanager
from glob import escape, glob
from pathlib import Path
from typing import BinaryIO, Iterator, Mapping, Union

from mmengine.fileio import LocalBackend, register_backend
from mmengine.utils import mkdir_or_exist


def write_file(path: Union[str, Path],
               content: bytes,
               sync: bool = True) -> None:
    """Write a file which is either the old one or the new one, never half.

    Content goes to a hidden file beside the target, is flushed to the disk
    and then renamed over it. The hidden file's name is the process's own, so
    that two runs in one folder do not share it; what a killed process left
    is taken away by the next write of the same name on the same machine.

    Args:
        path (str or Path): Target; its folder is made if missing.
        content (bytes): Content.
        sync (bool): Whether to wait for the disk and to look for what killed
            processes left. False is for files by the thousand which can be
            made again: a kill still leaves none of them half, a power cut
            may. Defaults to True.

    Raises:
        OSError: If it cannot be written (disk full, folder not writable);
            names the file and says that the old one, if any, is kept.
    """
    folder, name = osp.split(osp.abspath(path))
    partial = partial_path(path)
    try:
        mkdir_or_exist(folder)
        if sync:
            remove_leftovers(folder, name)
        with open(partial, 'wb') as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        remove(partial)
        kept = ('its previous content is kept'
                if osp.isfile(path) else 'nothing of it was written')
        raise type(error)(
            error.errno, f'cannot write {path} ({len(content)} bytes, '
            f'{error.strerror or error}): {kept}; make room there or choose '
            'another folder') from error
    except BaseException:
        remove(partial)
        raise
    if sync:
        _sync_folder(folder)


def write_files(contents: Mapping[Union[str, Path], bytes]) -> None:
    """Write files that belong together: all of them or none.

    As :func:`write_file`; each is complete on the disk, under a hidden name,
    before the first takes its place. They take their places in order, and
    only a kill in that instant leaves some new beside some old ones.

    Args:
        contents (Mapping[str | Path, bytes]): By target.

    Raises:
        OSError: If one cannot be written (disk full, folder not writable);
            names it. All old ones are kept then.
    """
    partials = {path: partial_path(path) for path in contents}
    try:
        for path, content in contents.items():
            folder, name = osp.split(osp.abspath(path))
            mkdir_or_exist(folder)
            remove_leftovers(folder, name)
            with open(partials[path], 'wb') as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path in contents:
            os.replace(partials[path], path)
    except BaseException as error:
        for partial in partials.values():
            remove(partial)
        if not isinstance(error, OSError):
            raise
        raise type(error)(
            error.errno, f'cannot write {path} ({error.strerror or error}), '
            f'one of {len(partials)} files that belong together: nothing was '
            'written; make room there or choose another folder') from error
    for folder in {osp.dirname(osp.abspath(path)) for path in contents}:
        _sync_folder(folder)


def move_whole(partial: str, path: Union[str, Path]) -> None:
    """Put a finished file at its place, over what is there.

    For what is too large, or comes too slowly, for :func:`write_file`: it
    grows under another name in the same folder and is moved when complete.

    Args:
        partial (str): The finished file.
        path (str or Path): Its place, in the same folder.
    """
    with open(partial, 'r+b') as file:
        os.fsync(file.fileno())
    os.replace(partial, path)
    _sync_folder(osp.dirname(osp.abspath(path)))


@contextmanager
def replacing(path: Union[str, Path]) -> Iterator[BinaryIO]:
    """Write a file piece by piece, which is there whole in the end or not.

    As :func:`write_file`, for what does not fit in memory.

    Args:
        path (str or Path): Target; its folder is made if missing.

    Yields:
        BinaryIO: Empty, to be written to and read from; closed and renamed
        over the target at the end of the block, taken away if that raises.

    Raises:
        OSError: If it cannot be written; names the file and says that the old
            one, if any, is kept.
    """
    folder, name = osp.split(osp.abspath(path))
    partial = partial_path(path)
    try:
        mkdir_or_exist(folder)
        remove_leftovers(folder, name)
        with open(partial, 'w+b') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        remove(partial)
        if error.filename not in (None, partial, str(path)):
            raise  # of another file, which was read
        kept = ('its previous content is kept'
                if osp.isfile(path) else 'nothing of it was written')
        raise type(error)(
            error.errno, f'cannot write {path} ({error.strerror or error}): '
            f'{kept}; make room there or choose another folder') from error
    except BaseException:
        remove(partial)
        raise
    _sync_folder(folder)


class AtomicBackend(LocalBackend):
    """Local files which are either the old ones or the new ones, never half.

    See :func:`write_file`.

    Example:
        >>> checkpoint = dict(
        ...     type='CheckpointHook', backend_args=dict(backend='atomic'))
    """

    def put(self, obj: bytes, filepath: Union[str, Path]) -> None:
        """Write bytes, all or nothing.

        Args:
            obj (bytes): Content.
            filepath (str or Path): Target; its folder is made if missing.
        """
        write_file(filepath, obj)

    def put_text(self,
                 obj: str,
                 filepath: Union[str, Path],
                 encoding: str = 'utf-8') -> None:
        """Write text, all or nothing.

        Args:
            obj (str): Content.
            filepath (str or Path): Target; its folder is made if missing.
            encoding (str): Defaults to 'utf-8'.
        """
        self.put(obj.encode(encoding), filepath)


register_backend('atomic', AtomicBackend, force=True)


def _machine() -> str:
    """This machine's name, as a part of a file's name."""
    return re.sub(r'[^\w-]', '-', socket.gethostname())[:32]


def partial_path(path: Union[str, Path]) -> str:
    """A name beside a file or folder to make it under: this process's own."""
    folder, name = osp.split(osp.abspath(path))
    unique = f'{os.getpid()}.{uuid.uuid4().hex[:8]}.partial'
    return osp.join(folder, _start(name) + unique)


def remove_leftovers(folder: str, name: str = '*') -> None:
    """Take away what dead processes of this machine left of a write.

    Args:
        folder (str): Where :func:`partial_path` put it.
        name (str): What was to be written; '*' is everything there.
    """
    start = '.*' if name == '*' else escape(_start(name))
    form = re.compile(rf'\.{re.escape(_machine())}\.(\d+)\.\w{{8}}\.partial$')
    for path in glob(osp.join(escape(folder), f'{start}*.partial')):
        found = form.search(path)
        if found and not _is_alive(int(found[1])):
            remove(path)


def _start(name: str) -> str:
    """How the hidden name begins: a long one is cut to fit in 255 bytes."""
    kept = os.fsdecode(os.fsencode(name)[:180])
    return f'.{kept}.{_machine()}.'


def _is_alive(pid: int) -> bool:
    if os.name != 'posix':
        return True  # asking would end the process on Windows
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        pass
    return True


def remove(path: str) -> None:
    """Take away a file or folder, if it is there."""
    if osp.isdir(path):
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        os.remove(path)
    except (FileNotFoundError, NotADirectoryError):
        pass


def _sync_folder(folder: str) -> None:
    """Make the rename itself survive a power cut, where that exists."""
    if os.name == 'posix':
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError:  # some network file systems refuse folders
            pass
        finally:
            os.close(handle)
