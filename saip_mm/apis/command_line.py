"""What the command lines of tools have in common."""
import sys
from contextlib import contextmanager
from typing import Iterator

from ..engine.user_errors import asks_for_library


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End with ``error: ...`` and exit code 1 where the input is at fault,
    or a library is not installed.

    Names that are no UTF-8 are printed with their bytes spelt out.

    Example:
        >>> with one_line_errors():
        ...     raise ValueError("'a.json' is no JSON")
        Traceback (most recent call last):
        SystemExit: error: 'a.json' is no JSON
    """
    if hasattr(sys.stdout, 'reconfigure'):
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        yield
    except (OSError, ValueError, ImportError) as error:
        if isinstance(error, ImportError) and not asks_for_library(error):
            raise
        text = ' '.join(str(error).splitlines()) or type(error).__name__
        raise SystemExit(f'error: {text}') from error
