"""Putting a published file into a metafile, whose comments stay."""
import json
import os.path as osp
import re
from typing import List, Tuple

import yaml

from .atomic import write_file
from .model_card import row_text
from .model_index import read_utf8

UNUSUAL = (
    '{}: cannot enter {} there, its layout is unusual: paste the row by '
    'hand, publishing without the metafile writes it')
FILLED = ('SHA-256', 'Bytes', 'License', 'Teacher')


def enter_weights(path: str, row: dict) -> bool:
    """Name a file in a metafile, as a model's weights.

    A model that is there gets ``Weights`` and, in ``Metadata``, hash and
    size; one that is not is added with its row. Everything else of the file
    stays as it is.

    Args:
        path (str): The metafile.
        row (dict): As :func:`.model_card.metafile_row` gives it.

    Returns:
        bool: Whether the model was there.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no metafile.
    """
    text, names = read_metafile(path)
    if row['Name'] not in names:
        changed = text.rstrip('\n') + '\n' + row_text(row)
    else:
        changed = _filled(text.splitlines(), row, path)
    if row['Name'] not in _names(changed, path):
        raise ValueError(UNUSUAL.format(path, row['Name']))
    write_file(path, changed.encode())
    return row['Name'] in names


def read_metafile(path: str) -> Tuple[str, List[str]]:
    """A metafile's text, and the names of its models.

    Raises:
        FileNotFoundError, ValueError: As :func:`enter_weights`.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'metafile {path} does not exist: check the '
                                'path')
    text = read_utf8(path)
    return text, _names(text, path)


def _names(text: str, path: str) -> List[str]:
    try:
        content = yaml.safe_load(text)
        return [model['Name'] for model in content['Models']]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(f'{path} is no metafile with Models: '
                         f'{str(error).splitlines()[0]}') from error


def _filled(lines: List[str], row: dict, path: str) -> str:
    """The model's lines with its weights, hash and size."""
    name = re.compile(
        rf"\s*- Name: ['\"]?{re.escape(row['Name'])}['\"]?\s*(#.*)?")
    start = next((i for i, line in enumerate(lines) if name.fullmatch(line)),
                 None)
    if start is None:  # not the first key of its entry, say
        raise ValueError(UNUSUAL.format(path, row['Name']))
    end = next((i for i in range(start + 1, len(lines))
                if lines[i].lstrip().startswith('- Name:')), len(lines))
    indent = ' ' * (len(lines[start]) - len(lines[start].lstrip()) + 2)
    known = '|'.join(map(re.escape, FILLED))
    kept = [
        line for line in lines[start:end]
        if not re.match(rf'{indent}(Weights|  ({known})):', line)
    ]
    about = [
        f'{indent}  {key}: {json.dumps(row["Metadata"][key])}'
        for key in FILLED if key in row['Metadata']
    ]
    place = next((i for i, line in enumerate(kept)
                  if line.startswith(f'{indent}Metadata:')), None)
    if place is None:
        kept[1:1] = [f'{indent}Metadata:', *about]
    else:
        kept[place + 1:place + 1] = about
    results = next((i for i, line in enumerate(kept)
                    if line.startswith(f'{indent}Results:')), len(kept))
    kept.insert(results, f'{indent}Weights: {row["Weights"]}')
    return '\n'.join([*lines[:start], *kept, *lines[end:]]) + '\n'
