"""Pickles of plain Python types, read without running any code."""
import io
import pickle
from typing import Any


class UnsafePickleError(ValueError):
    """The file holds more than plain Python types; nothing of it was run."""


class _PlainUnpickler(pickle.Unpickler):
    """Knows no class and no function, so that it can call none."""

    def find_class(self, module: str, name: str) -> None:
        raise UnsafePickleError(f'{module}.{name}')


def read_plain_pickle(path: str) -> Any:
    """Read a pickle of lists, dicts, strings, bytes and numbers.

    A pickle may name any function to be called when it is read. Here every
    name is refused, those of harmless classes too, and nothing is tried
    after a refusal. Strings of Python 2 are read as UTF-8.

    Args:
        path (str): The file.

    Returns:
        Any: What was pickled.

    Raises:
        FileNotFoundError: If there is no such file.
        UnsafePickleError: If it holds more than plain types.
        ValueError: If it is damaged, cut short, or no pickle.
    """
    with open(path, 'rb') as file:
        data = file.read()
    try:
        return _PlainUnpickler(
            io.BytesIO(data), encoding='utf-8',
            errors='surrogateescape').load()
    except UnsafePickleError as error:
        raise UnsafePickleError(
            f"'{path}' holds objects of {error}, which could run code: "
            'nothing of it was read or run. If you trust its origin, save it '
            'again where it came from, as a plain list of str') from None
    except Exception as error:  # any kind: a pickle in pieces raises anything
        raise ValueError(
            f"'{path}' cannot be read as a pickle ({type(error).__name__}: "
            f'{error}): it is damaged, cut short, or of another kind; copy '
            'it again') from error
