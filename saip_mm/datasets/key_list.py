"""Lists of images: text, pickles and JSON."""
import os.path as osp
from typing import Any, Iterable, Iterator

from mmengine.logging import print_log

from .key_table import KeyTable
from .plain_pickle import read_plain_pickle
from .text_files import read_json


def read_keys(path: str) -> KeyTable:
    """Read a list of keys, in its own order.

    No code that a file may contain is run. A Mac's ``._*`` files, which
    hold no picture, are left out; how many the log says.

    Args:
        path (str): ``.txt``: one key a line, nothing else, UTF-8 or with a
            byte order mark. ``.pkl``: a list, or a dict with ``keys``
            (LUPerson's ``keys.pkl`` comes in both forms). ``.json``:
            OpenMMLab's ``{'metainfo': ..., 'data_list': [{'img_path':
            ...}]}``.

    Returns:
        KeyTable: The keys.

    Raises:
        FileNotFoundError: If there is no such file.
        UnsafePickleError: If a ``.pkl`` holds more than plain types.
        ValueError: If its form is none of the above, or it names no image.
    """
    path = osp.expanduser(path)
    if not osp.isfile(path):
        raise FileNotFoundError(
            f"list file '{path}' not found; a relative ann_file is looked up "
            'in data_root. tools/dataset_converters/build_image_list.py '
            'writes one')
    suffix = osp.splitext(path)[1].lower()
    if suffix == '.txt':
        keys = KeyTable.from_text(path)
    elif suffix == '.pkl':
        keys = KeyTable(_checked(_of_pickle(path), path))
    elif suffix == '.json':
        keys = KeyTable(_checked(_of_json(path), path))
    else:
        raise ValueError(f"list file '{path}' is none of .txt, .pkl, .json")
    keys = drop_apple_doubles(keys, path)
    if not len(keys):
        raise ValueError(f"list file '{path}' names no image")
    return keys


def drop_apple_doubles(keys: KeyTable, where: str) -> KeyTable:
    """Leave out what a Mac puts beside each file on foreign disks.

    Args:
        keys (KeyTable): Keys, of which ``._*`` names are no pictures.
        where (str): Whose keys they are, for the log.

    Returns:
        KeyTable: The others, the buffer is shared.
    """
    kept = ~keys.apple_doubles()
    if kept.all():
        return keys
    print_log(
        f"'{where}': {len(keys) - int(kept.sum())} of {len(keys)} names left "
        "out: they start with '._', which a Mac puts beside its files and "
        'which hold no picture',
        logger='current')
    return keys.select(kept)


def _of_pickle(path: str) -> Any:
    content = read_plain_pickle(path)
    if isinstance(content, dict):
        if 'keys' not in content:
            raise ValueError(
                f"list file '{path}' holds a dict without 'keys' (it has "
                f"{_some(content)}); a list of str, or a dict with 'keys', "
                'is expected')
        content = content['keys']
    if not isinstance(content, (list, tuple)):
        raise ValueError(f"list file '{path}' holds a "
                         f'{type(content).__name__}, not a list of str')
    return content


def _of_json(path: str) -> Iterator[Any]:
    content = read_json(path)
    form = '{"data_list": [{"img_path": "a/1.jpg"}, ...]}'
    items = content.get('data_list') if isinstance(content, dict) else None
    if not isinstance(items, list):
        raise ValueError(f"list file '{path}' has no 'data_list'; OpenMMLab's "
                         f'form is expected: {form}')
    for number, item in enumerate(items):
        if not isinstance(item, dict) or 'img_path' not in item:
            raise ValueError(f"list file '{path}': entry {number} of "
                             f"data_list has no 'img_path'; expected: {form}")
        yield item['img_path']


def _checked(keys: Iterable[Any], path: str) -> Iterator[str]:
    """Refuse by position what no file can be called."""
    for number, key in enumerate(keys):
        if isinstance(key, bytes):
            key = key.decode('utf-8', 'surrogateescape')
        if not isinstance(key, str) or not key or '\0' in key:
            raise ValueError(
                f"list file '{path}': entry {number} is {_short(key)}; each "
                'must be the name of an image: a str that is not empty and '
                'has no null character')
        yield key


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + '...'


def _some(values: Iterable[Any]) -> str:
    return _short(list(values)[:5])
