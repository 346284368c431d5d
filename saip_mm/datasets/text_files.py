"""Text and JSON from any editor, with errors that name the file."""
import codecs
import json
import os.path as osp
from typing import Any, Optional

# Longer marks first: UTF-32's begins with UTF-16's.
_MARKS = ((codecs.BOM_UTF32_LE, 'utf-32'), (codecs.BOM_UTF32_BE, 'utf-32'),
          (codecs.BOM_UTF8, 'utf-8-sig'), (codecs.BOM_UTF16_LE, 'utf-16'),
          (codecs.BOM_UTF16_BE, 'utf-16'))


def marked_encoding(start: bytes) -> Optional[str]:
    """Encoding that a byte order mark gives, None without one.

    Args:
        start (bytes): The first four bytes of a file, or more.

    Example:
        >>> marked_encoding('a'.encode('utf-16')), marked_encoding(b'a')
        ('utf-16', None)
    """
    return next((name for mark, name in _MARKS if start.startswith(mark)),
                None)


def decode_text(data: bytes, path: str) -> str:
    """Text of a file's bytes: UTF-8, or what its byte order mark says.

    Windows' PowerShell writes UTF-16 with a mark, its editors UTF-8 with
    one.

    Args:
        data (bytes): The whole file.
        path (str): The file's name, for the error.

    Returns:
        str: Its text, without the mark.

    Raises:
        ValueError: If it is no text in that encoding.
    """
    encoding = marked_encoding(data[:4]) or 'utf-8'
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"'{path}' is no {encoding.upper()} text "
                         f'({error.reason} at byte {error.start}); save it '
                         'as UTF-8') from error
    if '\0' in text:
        raise ValueError(f"'{path}' holds zero bytes, as UTF-16 without its "
                         'mark does; save it as UTF-8')
    return text


def read_text(path: str, hint: str = '') -> str:
    """Read a text file, see :func:`decode_text`.

    Args:
        path (str): The file.
        hint (str): What to do if it does not exist, for the error.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If it cannot be read.
        ValueError: If it is no text.
    """
    return decode_text(read_bytes(path, hint), path)


def parse_json(data: bytes, path: str) -> Any:
    """Value of a JSON file's bytes, see :func:`decode_text`.

    Args:
        data (bytes): The whole file.
        path (str): The file's name, for the error.

    Raises:
        ValueError: If it is no JSON.
    """
    text = decode_text(data, path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        state = 'is no JSON, or cut short' if text.strip() else 'is empty'
        raise ValueError(f"'{path}' {state}: {error}") from error


def read_json(path: str, hint: str = '') -> Any:
    """Read a JSON file.

    Args:
        path (str): The file.
        hint (str): As in :func:`read_text`.

    Raises:
        OSError, ValueError: As :func:`read_text` and :func:`parse_json`.
    """
    return parse_json(read_bytes(path, hint), path)


def read_bytes(path: str, hint: str = '') -> bytes:
    """Contents of a file.

    Args:
        path (str): The file.
        hint (str): As in :func:`read_text`.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If it cannot be read.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f"'{path}' does not exist" +
                                (f': {hint}' if hint else ''))
    with open(path, 'rb') as file:
        return file.read()
