"""MATLAB's files, level 5, with errors that say what is wrong with them."""
import io
from typing import Any, Dict, List, Sequence

import numpy as np

from .text_files import read_bytes

_HDF5 = b'\x89HDF'
_NOTE = b'MATLAB 5.0 MAT-file'  # the head of a file: 116 bytes of text


def read_mat(path: str, keys: Sequence[str], hint: str = '') -> Dict[str, Any]:
    """Read variables of a MATLAB file.

    Args:
        path (str): The file.
        keys (Sequence[str]): Variables that are wanted.
        hint (str): What to do if it does not exist, for the error.

    Returns:
        dict: Arrays by name, as SciPy gives them: cells are arrays of
        objects, structs have fields.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is none, damaged, of version 7.3, or lacks a
            variable.
    """
    from scipy.io import loadmat  # takes a moment, and few need it
    data = read_bytes(path, hint)
    if data[:20].startswith((b'MATLAB 7.3', _HDF5)):
        raise ValueError(f"'{path}' is a MATLAB v7.3 file, which is HDF5: "
                         'open it in MATLAB and save it with -v7')
    try:
        content = loadmat(io.BytesIO(data))
    except Exception as error:  # of any kind: it is a parser of anything
        raise ValueError(
            f"'{path}' cannot be read as a MATLAB file "
            f'({type(error).__name__}: {error}): it is damaged, cut short, or '
            'of another kind; copy it again') from error
    found = [key for key in content if not key.startswith('__')]
    for key in keys:
        if key not in found:
            raise ValueError(f"{path}: key '{key}' not found (found: "
                             f'{", ".join(sorted(found)) or "none"})')
    return content


def write_mat(content: Dict[str, Any]) -> bytes:
    """Bytes of a MATLAB file, the same for the same content.

    Args:
        content (dict): Arrays, dicts (structs) and lists (cells, a column)
            by name.
    """
    from scipy.io import savemat
    out = io.BytesIO()
    savemat(out, _arrays(content), do_compression=True)
    data = out.getvalue()
    return _NOTE.ljust(116) + data[116:]  # no date, no platform


def cells(column: Any, path: str, name: str) -> List[Any]:
    """Contents of a column of cells.

    Args:
        column (np.ndarray): ``(n, 1)`` or ``(1, n)`` objects, each an array;
            of one string its text is taken.
        path (str): File, for the error.
        name (str): Variable, for the error.

    Raises:
        ValueError: If it is no column of cells.
    """
    column = np.asarray(column)
    if column.dtype != object or column.size != max(column.shape, default=0):
        raise ValueError(f"{path}: '{name}' is no list of cells, but "
                         f'{column.dtype} of {column.shape}')
    return [_text(cell) for cell in column.ravel()]


def _text(cell: Any) -> Any:
    while isinstance(cell, np.ndarray) and cell.size == 1 and (
            cell.dtype == object or cell.dtype.kind == 'U'):
        cell = cell.ravel()[0]
    return str(cell) if isinstance(cell, str) else cell


def _arrays(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _arrays(value) for key, value in node.items()}
    if isinstance(node, list):
        column = np.empty((len(node), 1), object)
        for row, value in enumerate(node):
            column[row, 0] = _arrays(value)
        return column
    return node
