"""Pickles of plain Python types, read without running any code."""
import io
import pickle
from typing import Any, Mapping, Optional


class UnsafePickleError(ValueError):
    """The file holds more than plain Python types; nothing of it was run."""


class _PlainUnpickler(pickle.Unpickler):
    """Knows no class and no function but those given, so that it can call no
    other."""

    def __init__(self, file, allowed: Mapping[str, Any], **kwargs) -> None:
        super().__init__(file, **kwargs)
        self.allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        key = f'{module}.{name}'
        if key not in self.allowed:
            raise UnsafePickleError(key)
        return self.allowed[key]


def read_plain_pickle(path: str,
                      allowed: Optional[Mapping[str, Any]] = None) -> Any:
    """Read a pickle of lists, dicts, strings, bytes and numbers.

    A pickle may name any function to be called when it is read. Here every
    name is refused, those of harmless classes too, and nothing is tried
    after a refusal. Strings of Python 2 are read as UTF-8.

    Args:
        path (str): The file.
        allowed (Mapping, optional): By 'module.name' what stands for it
            here: harmless whatever it is called with. Defaults to None:
            nothing.

    Returns:
        Any: What was pickled.

    Raises:
        FileNotFoundError: If there is no such file.
        UnsafePickleError: If it holds more than plain types.
        ValueError: If it is damaged, cut short, or no pickle.
    """
    with open(path, 'rb') as file:
        return parse_plain_pickle(file.read(), path, allowed)


def parse_plain_pickle(data: bytes,
                       path: str,
                       allowed: Optional[Mapping[str, Any]] = None) -> Any:
    """As :func:`read_plain_pickle`, of a file's bytes.

    Args:
        data (bytes): The pickle.
        path (str): The file's name, for the errors.
        allowed (Mapping, optional): As there.

    Raises:
        UnsafePickleError, ValueError: As there.
    """
    try:
        return _PlainUnpickler(
            io.BytesIO(data),
            allowed or {},
            encoding='utf-8',
            errors='surrogateescape').load()
    except UnsafePickleError as error:
        raise UnsafePickleError(
            f"'{path}' holds objects of {error}, which could run code: "
            'nothing of it was read or run. If you trust its origin, save it '
            'again where it came from, as plain lists') from None
    except Exception as error:  # any kind: a pickle in pieces raises anything
        raise ValueError(
            f"'{path}' cannot be read as a pickle ({type(error).__name__}: "
            f'{error}): it is damaged, cut short, or of another kind; copy '
            'it again') from error
