"""The one file in which a set names its pictures and describes them."""
import os.path as osp
from typing import Any, List, NamedTuple, Tuple

from mmengine.logging import print_log

from saip_mm.datasets.text_files import read_json

SPLITS = ('train', 'val', 'test')
PATHS = ('file_path', 'img_path')  # RSTPReid's is the second
KEYS = ('split', 'captions', 'id')


class CaptionRecord(NamedTuple):
    """A picture.

    Attributes:
        number (int): Place in the file, from 0.
        split (str): 'train', 'val' or 'test'.
        path (str): In the folder of pictures.
        pid (int): Who is shown, as the file numbers persons.
        captions (tuple[str, ...]): What was said of the picture.
    """
    number: int
    split: str
    path: str
    pid: int
    captions: Tuple[str, ...]


def read_captions(path: str) -> List[CaptionRecord]:
    """Read and check a file of captions.

    A JSON list of ``dict(split, captions, file_path, id)``, or ``img_path``
    for ``file_path``; other keys are left alone. A caption that stands there
    without its list is taken as one.

    Args:
        path (str): The file.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it is no such list; names the record, counted from 0,
            and what is wrong with it.
    """
    content = read_json(path)
    name = osp.basename(path)
    if not isinstance(content, list) or not content:
        found = f'a {type(content).__name__}' if content else 'nothing'
        raise ValueError(f"'{path}' must be a JSON list of records with the "
                         f'keys split, captions, file_path and id; it holds '
                         f'{found}')
    records = [_record(n, entry, name) for n, entry in enumerate(content)]
    alone = sum(isinstance(entry['captions'], str) for entry in content)
    if alone:
        print_log(
            f'{name}: captions of {alone} records are a string, no list; '
            'each is taken as one caption',
            'current',
            level=30)
    return records


def _record(number: int, entry: Any, name: str) -> CaptionRecord:
    where = f'{name} record {number}'
    if not isinstance(entry, dict):
        raise ValueError(f'{where} is a {type(entry).__name__}, no dict of '
                         'split, captions, file_path and id')
    missing = [key for key in KEYS if key not in entry]
    place = next((key for key in PATHS if key in entry), None)
    if place is None:
        missing.append(PATHS[0])
    if missing:
        raise ValueError(f"{where}: key '{missing[0]}' is missing")
    split = str(entry['split']).lower()
    if split not in SPLITS:
        raise ValueError(f"{where}: split '{entry['split']}' (expected "
                         f'{", ".join(SPLITS)})')
    pid, image = entry['id'], entry[place]
    if (isinstance(pid, bool) or not isinstance(pid, int)
            or not 0 <= pid < 2**63):
        raise ValueError(f'{where}: id {pid!r} must be a whole number, 0 or '
                         'more, of at most 18 digits')
    if not isinstance(image, str) or not image:
        raise ValueError(f'{where}: {place} {image!r} must be the path of a '
                         'picture')
    captions = entry['captions']
    captions = [captions] if isinstance(captions, str) else captions
    if not isinstance(captions, list) or not all(
            isinstance(caption, str) for caption in captions):
        raise ValueError(f'{where}: captions must be a list of sentences, '
                         f'got {captions!r:.60}')
    return CaptionRecord(number, split, image, pid, tuple(captions))
