"""Pictures, labels and lists of ids as they lie in folders."""
import os
import os.path as osp
from collections import Counter
from typing import (Dict, Iterator, List, NamedTuple, Optional, Sequence,
                    Tuple, Union)

from .text_files import read_text

Suffixes = Union[str, Sequence[str]]
# names of one format
_FAMILIES = (('.jpg', '.jpeg', '.jpe', '.jfif'), ('.tif', '.tiff'))
_EXTENSIONS = sum(_FAMILIES, ('.png', '.bmp', '.webp', '.avif'))


class Found(NamedTuple):
    """Files of a folder.

    Attributes:
        files (dict[str, str]): Path by id, which is the path in the folder
            without suffix.
        left_out (list[str]): Files of other names, as paths in the folder.
    """
    files: Dict[str, str]
    left_out: List[str]


def find_files(folder: str,
               suffixes: Suffixes,
               other: Optional[Suffixes] = None) -> Found:
    """Files of a folder and of the folders in it, by what they end in.

    Capitals do not matter, and ``.jpg`` stands for ``.jpeg``, ``.jpe`` and
    ``.jfif``, ``.tif`` for ``.tiff``. What starts with a dot (a Mac's
    ``._1.jpg`` is no picture) is left out.

    Args:
        folder (str): Folder.
        suffixes (str | Sequence[str]): Ends of the names wanted.
        other (str | Sequence[str], optional): Ends of the names of something
            else that lies in the same folder. Defaults to None.

    Raises:
        ValueError: If two files have the same id.
    """
    ends, others = all_suffixes(suffixes), all_suffixes(other or ())
    exact = (suffixes, ) if isinstance(suffixes, str) else tuple(suffixes)
    files, left_out = {}, []
    # names as the user wrote them first: a.jpg, then a.jpeg or a.JPG
    for path in sorted(
            _walk(folder), key=lambda p: (not p.endswith(exact), p)):
        name = osp.basename(path).lower()
        if name.endswith(tuple(end.lower() for end in others)):
            continue
        end = next((e for e in ends if name.endswith(e.lower())), None)
        key = path[:-len(end)] if end else None
        if end is None or name.startswith('.'):
            left_out.append(path)
        elif key not in files:
            files[key] = osp.join(folder, path)
        elif files[key].endswith(exact) and not path.endswith(exact):
            left_out.append(path)
        else:
            raise ValueError(f'{folder} holds {osp.basename(files[key])} and '
                             f'{osp.basename(path)}: which one is {key}? '
                             'Keep one, or name one suffix')
    return Found(files, left_out)


def all_suffixes(suffixes: Suffixes) -> Tuple[str, ...]:
    """With the other names of a format, longest first.

    Example:
        >>> all_suffixes('_photo.tif')
        ('_photo.tiff', '_photo.tif')
    """
    result = []
    for suffix in [suffixes] if isinstance(suffixes, str) else suffixes:
        stem, extension = osp.splitext('x' + suffix)
        family = next((f for f in _FAMILIES if extension.lower() in f),
                      (extension, ))
        result += [stem[1:] + extension for extension in family]
    return tuple(sorted(result, key=lambda end: (-len(end), end)))


def describe_left_out(paths: Sequence[str]) -> str:
    """Number and kinds of files, and the first: ``3 (.png 2, ._* 1), ...``."""
    kinds = Counter(
        '._*' if osp.basename(path).
        startswith('._') else osp.splitext(path)[1] or 'without suffix'
        for path in paths)
    listed = ', '.join(f'{kind} {n}' for kind, n in kinds.most_common(5))
    return f'{len(paths)} files ({listed}), first {paths[0]}'


def read_ids(path: str) -> Tuple[List[Tuple[int, str]], int]:
    """Ids of a list, one a line; spaces around them and blank lines aside.

    Args:
        path (str): UTF-8, or what Windows writes with a byte order mark.

    Returns:
        list[tuple[int, str]]: Line number, counted from 1, and id; an id
        that comes again is left out.
        int: How many came again.

    Raises:
        ValueError: If the list is no text, holds no id, or ids carry an
            extension.
    """
    lines = [(number, line.strip())
             for number, line in enumerate(read_text(path).splitlines(), 1)
             if line.strip()]
    if not lines:
        raise ValueError(f'{path} is empty: write one id a line, a picture\'s '
                         'name without its extension')
    for number, line in lines:
        if line.lower().endswith(_EXTENSIONS):
            raise ValueError(f'{path} ({osp.basename(path)} line {number}): '
                             f'{line}, but ids carry no extension')
    once = {}
    for number, line in lines:
        once.setdefault(line, number)
    ids = [(number, line) for line, number in once.items()]
    return ids, len(lines) - len(ids)


def _walk(folder: str) -> Iterator[str]:
    """Files as paths in the folder; links to folders are followed once."""
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = osp.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not name.startswith('.')]
        within = osp.relpath(place, folder)
        for name in names:
            yield name if within == '.' else f'{within}/{name}'
