"""Pickles of NumPy arrays in plain containers, read without running code."""
import io
import re
from typing import Any, Dict

import numpy as np

from .plain_pickle import parse_plain_pickle, read_plain_pickle

_NUMBERS = re.compile('[?bB]|[biuf][1248]')  # dtypes whose bytes are values


class _Token:
    """Stands for something whose arguments do not matter."""

    def __init__(self, *args: Any) -> None:
        self.args = args
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Dict(dict):
    """Stands for a dict with a class of its own, whose attributes are left
    away."""

    def __setstate__(self, state: Any) -> None:
        pass


class _Dtype(_Token):

    def numbers(self) -> np.dtype:
        code = self.args[0] if self.args else ''
        if not isinstance(code, str) or not _NUMBERS.fullmatch(code):
            raise ValueError(f'an array of {code!r}, no numbers')
        order = self.state[1] if self.state else '='
        return np.dtype(code).newbyteorder('>' if order == '>' else '=')


class _Array(_Token):

    def values(self) -> np.ndarray:
        """``(version, shape, dtype, Fortran's order, bytes)``"""
        _, shape, dtype, by_column, data = self.state
        flat = np.frombuffer(_bytes(data), dtype.numbers())
        return flat.reshape(shape, order='F' if by_column else 'C')


class _Buffer(_Token):
    """``(bytes, dtype, shape, order)``: arrays since protocol 5."""

    def values(self) -> np.ndarray:
        data, dtype, shape, order = self.args
        flat = np.frombuffer(_bytes(data), dtype.numbers())
        return flat.reshape(shape, order=order)


class _Scalar(_Token):

    def values(self) -> Any:
        dtype, data = self.args
        return np.frombuffer(_bytes(data), dtype.numbers())[0]


def _bytes(data: Any) -> bytes:
    """Bytes; those of Python 2 were read as text, see read_plain_pickle."""
    if isinstance(data, str):
        return data.encode('utf-8', 'surrogateescape')
    return bytes(data)


def _encode(text: str, code: str) -> bytes:
    """``_codecs.encode`` as pickles of old protocols call it, for bytes."""
    return text.encode('latin-1')


def _no_bytes(*args: Any) -> bytes:
    """``bytes()``, as old protocols write empty ones."""
    return b''


def _reconstruct(kind: type, base: type, state: Any) -> Any:
    """``copyreg._reconstructor``, for dicts alone."""
    return _Dict(state or ()) if kind is _Dict else _Token()


def _new(kind: type, *args: Any) -> Any:
    return kind(*args)


def _names() -> Dict[str, Any]:
    names = {
        'easydict.EasyDict': _Dict,
        'collections.OrderedDict': _Dict,
        '_codecs.encode': _encode,
        'numpy.ndarray': _Token,
        'numpy.dtype': _Dtype,
        'copyreg.__newobj__': _new,
    }
    for module in ('builtins', '__builtin__'):
        names.update({
            f'{module}.bytes': _no_bytes,
            f'{module}.dict': dict,
            f'{module}.list': list,
            f'{module}.range': range,
            f'{module}.xrange': range
        })
    for module in ('copyreg', 'copy_reg'):
        names[f'{module}._reconstructor'] = _reconstruct
    for core in ('numpy.core', 'numpy._core'):
        names.update({
            f'{core}.multiarray._reconstruct': _Array,
            f'{core}.multiarray.scalar': _Scalar,
            f'{core}.numeric._frombuffer': _Buffer
        })
    return names


_ALLOWED = _names()


def read_array_pickle(path: str) -> Any:
    """Read a pickle of NumPy arrays of numbers in dicts and lists.

    Every name in it that is not one of these is refused, and nothing of NumPy
    is called with what the file says: classes of our own note it, and arrays
    are made of their bytes afterwards. ``easydict.EasyDict`` becomes a dict.
    Arrays of other things than numbers become None.

    Args:
        path (str): The file.

    Returns:
        Any: What was pickled.

    Raises:
        FileNotFoundError: If there is no such file.
        UnsafePickleError: If it holds more.
        ValueError: If it is damaged, cut short, or no pickle.
    """
    return _plain(read_plain_pickle(path, _ALLOWED))


def read_array_file(path: str) -> Any:
    """Read a ``.npy``, one of pickled objects too, without running code.

    Args:
        path (str): The file.

    Returns:
        np.ndarray | list: An array of numbers; of an array of objects a list
        of them, whatever its shape, each as :func:`read_array_pickle` has it.

    Raises:
        FileNotFoundError: If there is no such file.
        UnsafePickleError: If it holds more than numbers, dicts and lists.
        ValueError: If it is damaged, cut short, or no ``.npy``.
    """
    with open(path, 'rb') as file:
        data = file.read()
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0) else np.lib.format.read_array_header_2_0)
        dtype = read(stream)[2]
        if not dtype.hasobject:
            return np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, SyntaxError) as error:
        raise ValueError(
            f"'{path}' cannot be read as .npy ({error}): it is damaged, cut "
            'short, or of another kind; copy it again') from error
    held = parse_plain_pickle(data[stream.tell():], path, _ALLOWED)
    if isinstance(held, _Array) and isinstance(held.state[-1], list):
        return [_plain(item) for item in held.state[-1]]
    return _plain(held)


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_plain(value) for value in node]
    if isinstance(node, (_Array, _Buffer, _Scalar)):
        try:
            return node.values()
        except (ValueError, TypeError, AttributeError, IndexError):
            return None
    return None if isinstance(node, _Token) else node
