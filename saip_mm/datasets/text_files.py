"""Text and JSON from any editor, with errors that name the file."""
import codecs
import json
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


def read_text(path: str) -> str:
    """Read a text file: UTF-8, or what its byte order mark says.

    Windows' PowerShell writes UTF-16 with a mark, its editors UTF-8 with
    one.

    Args:
        path (str): The file.

    Returns:
        str: Its text, without the mark.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no text in that encoding.
    """
    with open(path, 'rb') as file:
        data = file.read()
    encoding = marked_encoding(data[:4]) or 'utf-8'
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"'{path}' is no {encoding.upper()} text "
                         f'({error.reason} at byte {error.start}); save it '
                         'as UTF-8') from error


def read_json(path: str) -> Any:
    """Read a JSON file, see :func:`read_text`.

    Args:
        path (str): The file.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"'{path}' is no JSON: {error}" + (
            '' if text.strip() else ' (the file is empty)')) from error
