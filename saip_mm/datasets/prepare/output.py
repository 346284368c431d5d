"""Where a tool writes: asked before it works for hours."""
import os
import os.path as osp

from mmengine.utils import mkdir_or_exist


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
