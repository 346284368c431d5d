"""Where a tool writes: asked before it works for hours."""
import errno
import os
import os.path as osp
import shutil
from contextlib import contextmanager
from typing import Iterator

from mmengine.utils import mkdir_or_exist

from ...weights.atomic import partial_path, remove_leftovers


def check_writable(path: str) -> None:
    """Refuse early what could not be written in the end.

    Args:
        path (str): File to be written; its folder is made if missing.

    Raises:
        OSError: If it is a folder, or its folder cannot be written to.
    """
    path = osp.abspath(osp.expanduser(path))
    if osp.isdir(path):
        raise IsADirectoryError(
            f"'{path}' is a folder, a file is to be written there: give its "
            'name as well')
    check_folder(osp.dirname(path))


def check_folder(folder: str) -> None:
    """As :func:`check_writable`, for a folder to write to.

    Args:
        folder (str): The folder; made if missing.

    Raises:
        OSError: If it is a file, cannot be made, or is read-only.
    """
    try:
        mkdir_or_exist(folder)
    except (FileExistsError, NotADirectoryError) as error:
        raise NotADirectoryError(
            f"'{folder}' cannot be a folder: a file is in its place; choose "
            'another one') from error
    except OSError as error:
        raise type(error)(error.errno, f"cannot make the folder '{folder}' "
                          f'({error.strerror}): choose another one') from error
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"the folder '{folder}' cannot be written to: "
                              'change its rights or choose another one')


def check_absent(out: str) -> str:
    """Refuse early to write over what is there.

    Args:
        out (str): File or folder to be made.

    Returns:
        str: Its absolute path.

    Raises:
        FileExistsError: If it exists.
    """
    out = osp.abspath(osp.expanduser(out))
    if osp.lexists(out):
        raise FileExistsError(f"'{out}' exists; remove it or choose another "
                              'folder')
    return out


@contextmanager
def whole_folder(out: str) -> Iterator[str]:
    """Make a folder that appears under its name only when it is complete.

    Until then it grows under a hidden name of this process's own beside it,
    which goes when the work fails. What a killed process left the next one
    removes.

    Args:
        out (str): Folder to be made; must not exist.

    Yields:
        str: Where to make it: a path at which nothing is yet.

    Raises:
        FileExistsError: If ``out`` exists.
        OSError: If it cannot be written (disk full, folder not writable);
            names it, and says what is kept.
    """
    out = check_absent(out)
    check_folder(osp.dirname(out))
    remove_leftovers(*osp.split(out))
    part, whole = partial_path(out), False
    try:
        yield part
        whole = True
        if osp.lexists(out):  # an empty folder would be replaced
            raise FileExistsError(errno.EEXIST, 'it exists by now')
        os.rename(part, out)
    except OSError as error:
        kept = (f"the pack is whole and is kept in '{part}'" if whole else
                'nothing of it is kept; make room there or choose another '
                'folder')
        raise type(error)(error.errno, f"cannot write '{out}' "
                          f'({error.strerror or error}): {kept}') from error
    finally:
        if not whole:
            shutil.rmtree(part, ignore_errors=True)
