"""Lists of pictures with attributes: tables as text, and JSON."""
import csv
import io
import os.path as osp
from typing import List, Sequence, Tuple

import numpy as np

from saip_mm.datasets.text_files import read_json, read_text
from .label_table import UNLABELLED, LabelTable, check_names, check_values

HINT = ('a table as text, a picture a line: its path in data_prefix.img_path, '
        "then 0 or 1 for each attribute; the first line names the columns, "
        "'image,hat,backpack'")
FORM = ("JSON is dict(metainfo=dict(classes=['hat', ...]), data_list=["
        "dict(img_path='1.jpg', gt_label=[0]), ...])")


def read_list(path: str, prefix: str = '') -> LabelTable:
    """Read a table as text (``.csv``, ``.tsv``, ``.txt``), or JSON.

    Columns are separated by commas, semicolons or tabs, whichever the first
    line has most of. An empty cell, as -1, is an attribute of which nobody
    said. JSON is mmpretrain's, ``dict(metainfo=dict(classes=[...]),
    data_list=[dict(img_path=..., gt_label=[...]), ...])``, where ``gt_label``
    lists numbers of attributes that are there; ``gt_score`` may give all
    values instead.

    Args:
        path (str): The file.
        prefix (str): Folder of the pictures. Defaults to ''.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such list; names line and remedy.
    """
    if path.lower().endswith('.json'):
        names, images, labels = _read_json(path)
    else:
        names, images, labels = _read_table(path)
    return LabelTable(names, [osp.join(prefix, image) for image in images],
                      labels)


def _read_table(path: str) -> Tuple[Tuple[str, ...], List[str], np.ndarray]:
    rows = _cells(read_text(path, HINT), path)
    if len(rows) < 2 or len(rows[0][1]) < 2:
        raise ValueError(f'{path} lists no pictures with attributes: {HINT}')
    header = rows[0][1]
    if set(header[1:]) <= {'0', '1', '-1', ''}:
        raise ValueError(f'{path}: the first line names no columns but has '
                         f"'{header[1]}': {HINT}")
    names = check_names(header[1:], f'{path}, first line,')
    values = []
    for number, row in rows[1:]:
        if len(row) != len(header) or not row[0]:
            raise ValueError(
                f'{path} line {number} has {len(row)} cells'
                f'{"" if row[0] else ", the first empty"}, the first line '
                f'names {len(header)}: {HINT}')
        values.append([_value(cell, path, number) for cell in row[1:]])
    labels = check_values(
        np.array(values), names, path, [number for number, _ in rows[1:]])
    return names, [row[0] for _, row in rows[1:]], labels


def _cells(text: str, path: str) -> List[Tuple[int, List[str]]]:
    """Line number and cells of each line that is not blank."""
    text = text.replace('\r\n', '\n').replace('\r', '\n')
    separator = max(',;\t', key=text.split('\n', 1)[0].count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        return [(reader.line_num, [cell.strip() for cell in row])
                for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ValueError(f'{path} line {reader.line_num}: {error}: has a '
                         f'quotation mark its second one? {HINT}') from error


def _value(cell: str, path: str, line: int) -> float:
    try:
        return float(cell) if cell else UNLABELLED
    except ValueError as error:
        raise ValueError(f"{path} line {line} has '{cell}' for an attribute: "
                         'write 1 or 0, or -1 where nobody said') from error


def _read_json(path: str) -> Tuple[Tuple[str, ...], List[str], np.ndarray]:
    content = read_json(path, HINT)
    try:
        names = content['metainfo']['classes']
        entries = content['data_list']
        images = [entry['img_path'] for entry in entries]
    except (KeyError, TypeError) as error:
        raise ValueError(f'{path} has no {error}: {FORM}') from error
    names = check_names(names, f'{path}, metainfo.classes,')
    if not entries:
        raise ValueError(f'{path}: data_list is empty')
    rows = [_row(entry, len(names), path) for entry in entries]
    return names, images, check_values(np.array(rows), names, path)


def _row(entry: dict, count: int, path: str) -> Sequence[float]:
    image = entry['img_path']
    if not isinstance(image, str) or not image:
        raise ValueError(f'{path}: img_path {image!r} must be the path of a '
                         'picture')
    key = 'gt_score' if 'gt_score' in entry else 'gt_label'
    given = entry.get(key)
    if not isinstance(given, list):
        raise ValueError(f'{path}: {image} has no list {key}, but {given!r}: '
                         f'{FORM}; [] is a person without any')
    if key == 'gt_score':
        if len(given) != count:
            raise ValueError(f'{path}: gt_score of {image} has {len(given)} '
                             f'values for {count} attributes')
        if not all(isinstance(value, (int, float)) for value in given):
            raise ValueError(f'{path}: gt_score of {image} is {given!r:.60}, '
                             'it must be numbers')
        return given
    row = [0] * count
    for label in given:
        if type(label) is not int or not 0 <= label < count:
            raise ValueError(f'{path}: gt_label of {image} has '
                             f'{label!r}, attributes are 0 to {count - 1}')
        row[label] = 1
    return row
