"""CrowdHuman's .odgt files: one JSON object a line, one line a picture."""
import json
import math
import os.path as osp
from typing import List, Optional

BOXES = ('fbox', 'vbox', 'hbox')  # full, visible, head: x, y, w, h in pixels


def read_odgt(path: str) -> List[dict]:
    """Read and check the pictures of a file.

    Args:
        path (str): ``annotation_train.odgt`` say.

    Returns:
        list[dict]: In file order; ``ID``, ``gtboxes``, and ``line``, counted
        from 1. A box without ``vbox`` or ``hbox`` gets its ``fbox`` there.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line is no JSON object, lacks its ID or boxes, or
            names an ID again; if a box is no object, or not four finite
            numbers.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(
            f'{path} does not exist: set data_root to the folder of '
            'annotation_train.odgt, annotation_val.odgt and Images/')
    records, lines = [], {}
    with open(path, encoding='utf-8') as file:
        for number, text in enumerate(file.read().rstrip().split('\n'), 1):
            record = _parse(text, f'{path} line {number}')
            first = lines.setdefault(record['ID'], number)
            if first != number:
                raise ValueError(f'{path}: ID {record["ID"]} stands twice, in '
                                 f'lines {first} and {number}')
            records.append(dict(record, line=number))
    return records


def _parse(text: str, where: str) -> dict:
    try:
        record = json.loads(text)
    except json.JSONDecodeError:
        record = None
    if not isinstance(record, dict):
        raise ValueError(f'{where}: not a JSON object; .odgt has one a line')
    missing = [key for key in ('ID', 'gtboxes') if key not in record]
    if missing:
        raise ValueError(f'{where}: no {missing[0]}')
    where = f'{where}, ID {record["ID"]}'
    if not isinstance(record['gtboxes'], list):
        raise ValueError(f'{where}: gtboxes is no list')
    for index, box in enumerate(record['gtboxes']):
        _check_box(box, f'{where}, box {index}')
    return record


def _check_box(box: dict, where: str) -> None:
    if not isinstance(box, dict):
        raise ValueError(f'{where}: {box} is no JSON object')
    if 'tag' not in box or 'fbox' not in box:
        raise ValueError(f'{where}: tag or fbox is missing')
    for key in BOXES:
        value = box.setdefault(key, box['fbox'])
        if not (isinstance(value, list) and len(value) == 4
                and all(map(_is_finite, value))):
            raise ValueError(
                f'{where}: {key} is {value}, expected four numbers x, y, w, h')


def _is_finite(value) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def is_ignored(box: dict) -> bool:
    """Whether a box is a region to leave out: no person, or marked so."""
    extra = box.get('extra') or {}
    return box['tag'] != 'person' or bool(extra.get('ignore', 0))


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
