"""CrowdHuman's .odgt files: one JSON object a line, one line a picture."""
import json
import os.path as osp
from collections import Counter
from typing import List, Optional, Sequence

from ...datasets.text_files import read_text
from .box_checks import is_box, is_number

BOXES = ('fbox', 'vbox', 'hbox')  # full, visible, head: x, y, w, h in pixels
MASK = 'mask'  # CrowdHuman's tag of a region with unlabelled or fake people


def read_odgt(path: str,
              classes: Optional[Sequence[str]] = None) -> List[dict]:
    """Read and check the pictures of a file.

    Args:
        path (str): ``annotation_train.odgt`` say; UTF-8, or UTF-16 with its
            byte-order mark.
        classes (Sequence[str], optional): Tags of what is to be found. Given,
            a tag that differs from one of them in case or spaces alone is
            refused. Defaults to None.

    Returns:
        list[dict]: In file order; ``ID`` (text; a number becomes its digits),
        ``gtboxes``, and ``line``, counted from 1. A box without ``vbox`` or
        ``hbox`` gets its ``fbox`` there.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line is no JSON object, lacks its ID or boxes, or
            names an ID again; if a box is no object, is not four finite
            numbers, or what says whether to ignore it is no 0 or 1.
    """
    text = read_text(
        path, 'set data_root to the folder of annotation_train.odgt, '
        'annotation_val.odgt and Images/').rstrip()
    if not text:
        raise ValueError(f'{path} is empty; .odgt has one JSON object a line')
    records, lines = [], {}
    for number, line in enumerate(text.split('\n'), 1):
        record = _parse(line, f'{path} line {number}', classes or ())
        first = lines.setdefault(record['ID'], number)
        if first != number:
            raise ValueError(f'{path}: ID {record["ID"]} stands twice, in '
                             f'lines {first} and {number}')
        records.append(dict(record, line=number))
    return records


def _parse(text: str, where: str, classes: Sequence[str]) -> dict:
    try:
        record = json.loads(text)
    except ValueError:  # JSONDecodeError; numbers of too many digits
        record = None
    if not isinstance(record, dict):
        raise ValueError(f'{where}: not a JSON object; .odgt has one a line')
    missing = [key for key in ('ID', 'gtboxes') if key not in record]
    if missing:
        raise ValueError(f'{where}: no {missing[0]}')
    record['ID'] = _parse_id(record['ID'], where)
    where = f'{where}, ID {record["ID"]}'
    if not isinstance(record['gtboxes'], list):
        raise ValueError(f'{where}: gtboxes is no list')
    for index, box in enumerate(record['gtboxes']):
        _check_box(box, f'{where}, box {index}', classes)
    return record


def _parse_id(value, where: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise ValueError(
            f'{where}: ID is {value!r}, expected the name of a picture '
            'without .jpg')
    if osp.basename(value).startswith('._'):
        raise ValueError(
            f"{where}: ID {value} is a Mac's note on a file, no picture: "
            'remove the line')
    return value


def _check_box(box: dict, where: str, classes: Sequence[str]) -> None:
    if not isinstance(box, dict):
        raise ValueError(f'{where}: {box} is no JSON object')
    if 'tag' not in box or 'fbox' not in box:
        raise ValueError(f'{where}: tag or fbox is missing')
    _check_tag(box['tag'], where, classes)
    _check_ignore(box, where)
    for key in BOXES:
        value = box.setdefault(key, box['fbox'])
        if not is_box(value):
            raise ValueError(
                f'{where}: {key} is {value}, expected four numbers x, y, w, h')


def _check_tag(tag: str, where: str, classes: Sequence[str]) -> None:
    if not isinstance(tag, str):
        raise ValueError(f'{where}: tag is {tag!r}, expected text')
    if tag in classes:
        return
    for name in classes:
        if tag.strip().lower() == name.strip().lower():
            raise ValueError(
                f'{where}: tag is {tag!r}, and the category {name!r}: write '
                'both the same way, or the box is an ignored region')


def _check_ignore(box: dict, where: str) -> None:
    extra = box.get('extra')
    if not isinstance(extra, (dict, type(None))):
        raise ValueError(
            f'{where}: extra is {extra!r}, expected an object or null')
    value = (extra or {}).get('ignore')
    if not (value is None or is_number(value)):
        raise ValueError(
            f'{where}: extra.ignore is {value!r}, expected the number 0 or 1')


def label_of(box: dict, classes: Sequence[str] = ('person', )) -> int:
    """Number of a box's category, -1 for a region to leave out.

    That is a box of another tag, or whose ``extra.ignore`` is not 0. No
    ``extra``, no ``ignore`` in it, and null in place of either mean 0.
    """
    ignore = (box.get('extra') or {}).get('ignore') or 0
    if ignore or box['tag'] not in classes:
        return -1
    return list(classes).index(box['tag'])


def is_ignored(box: dict, classes: Sequence[str] = ('person', )) -> bool:
    """Whether a box is a region to leave out: see :func:`label_of`."""
    return label_of(box, classes) < 0


def unknown_tags(records: List[dict], classes: Sequence[str]) -> Counter:
    """Count boxes whose tag is no category, nor CrowdHuman's ``mask``."""
    return Counter(box['tag'] for record in records
                   for box in record['gtboxes']
                   if box['tag'] not in (*classes, MASK))


def size_file_of(ann_file: str, size_file: Optional[str] = None) -> str:
    """Tell where the pictures' sizes are kept.

    Args:
        ann_file (str): Path of the .odgt file.
        size_file (str, optional): Where the user says they are. Defaults to
            None: ``id_hw_train.json`` or ``id_hw_val.json`` beside
            ``ann_file``, by the word in its name.

    Returns:
        str: Path of a JSON file ``{ID: [height, width]}``.

    Raises:
        ValueError: If the name holds neither word.

    Example:
        >>> size_file_of('data/CrowdHuman/annotation_val.odgt')
        'data/CrowdHuman/id_hw_val.json'
    """
    if size_file:
        return size_file
    folder, name = osp.split(ann_file)
    for split in ('train', 'val'):
        if split in name:
            return osp.join(folder, f'id_hw_{split}.json')
    raise ValueError(f'cannot tell the size file for {ann_file}, whose name '
                     'holds neither train nor val; pass id_hw_file=...')
