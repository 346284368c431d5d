"""Text files as they come: UTF-8, or what PowerShell and editors write."""
import codecs
import os.path as osp

# UTF-32's little-endian mark begins with that of UTF-16
_MARKS = ((codecs.BOM_UTF8, 'utf-8-sig'), (codecs.BOM_UTF32_LE, 'utf-32'),
          (codecs.BOM_UTF32_BE, 'utf-32'), (codecs.BOM_UTF16_LE, 'utf-16'),
          (codecs.BOM_UTF16_BE, 'utf-16'))


def read_text(path: str, hint: str) -> str:
    """Read a text file whose byte-order mark, if any, tells its encoding.

    Args:
        path (str): File; without a mark it is UTF-8.
        hint (str): What to do if it does not exist, for the error.

    Returns:
        str: Its text without the mark.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not text in the encoding it claims.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'{path} does not exist: {hint}')
    with open(path, 'rb') as file:
        content = file.read()
    encoding = next(
        (name for mark, name in _MARKS if content.startswith(mark)), 'utf-8')
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(
            f'{path} is not text in {encoding.upper()} (byte {error.start}): '
            'save it as UTF-8') from error
