"""Errors that are the user's in one line, errors of the program in full."""
import os.path as osp
import re
import traceback
from contextlib import contextmanager
from typing import Optional

from ..models.finite import NonFiniteError
from ..weights import CheckpointError, UnsafeCheckpointError

PACKAGE = osp.dirname(osp.dirname(osp.abspath(__file__)))
# says what to do, wherever it was raised
OF_USERS = (CheckpointError, UnsafeCheckpointError, NonFiniteError)
# where mmengine builds what a config describes: unknown types and settings
REGISTRY = osp.join('mmengine', 'registry', 'build_functions.py')
# between processes, not of files
OF_PROCESSES = (ConnectionError, TimeoutError, ChildProcessError)


@contextmanager
def errors_in_a_line():
    """End the program with ``error: ...`` where the user can help it.

    These are the errors of checkpoints, files and folders, the values that
    this package refuses, and libraries that it asks for. Others, and values
    refused by other libraries, keep their traceback: they are defects.

    Raises:
        SystemExit: With the line; Python prints it and exits with 1.
    """
    try:
        yield
    except Exception as error:
        line = as_line(error)
        if line is None:
            raise
        raise SystemExit(f'error: {line}') from error


def as_line(error: BaseException) -> Optional[str]:
    """The message of a user's error in one line; None for a defect.

    Example:
        >>> as_line(FileNotFoundError('no config mine.py'))
        'no config mine.py'
        >>> as_line(ValueError('of another library')) is None
        True
    """
    message = str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = frames[-1].filename if frames else ''
    if message.startswith('Caught ') and 'Original Traceback' in message:
        # of a loader's worker, which comes with the traceback it had there
        place = (re.findall(r'^  File "(.+?)", line', message, re.M)
                 or [''])[-1]
        message = message.strip().splitlines()[-1].partition(': ')[2]
    users = (
        isinstance(error, OF_USERS)
        or isinstance(error, OSError) and not isinstance(error, OF_PROCESSES)
        or isinstance(error, ValueError) and place.startswith(PACKAGE)
        or asks_for_library(error) and place.startswith(PACKAGE)
        or isinstance(error,
                      (KeyError, TypeError)) and place.endswith(REGISTRY))
    if not users:
        return None
    return ' '.join(message.split()) or type(error).__name__


def asks_for_library(error: BaseException) -> bool:
    """Whether somebody raised it to say what to install.

    Python's own have the name of what was not found.

    Example:
        >>> asks_for_library(ImportError('pip install "saip_mm[shards]"'))
        True
        >>> asks_for_library(ModuleNotFoundError('no cv2', name='cv2'))
        False
    """
    return type(error) is ImportError and error.name is None
