"""The shipped table of models: ``model-index.yml`` and its metafiles."""
import os
import os.path as osp
import re
from functools import lru_cache
from typing import Dict, NamedTuple, Optional, Tuple

import yaml

from .shipped import shipped_place

INDEX = 'model-index.yml'
# in the name of what is published here
HASH_IN_NAME = re.compile(r'-([0-9a-f]{8})\.(?:pth|safetensors)$')

NO_FILE = ', no file or URL'
NO_DIGITS = (': 8 to 64 hexadecimal digits are wanted, in quotes '
             "('12345678' would be a number)")


class ModelRow(NamedTuple):
    """A model of the table.

    Attributes:
        name (str): Unique.
        config (str, optional): File, as it lies here.
        weights (str, optional): Path or URL; a path is relative to the base
            of the zoo. None: not published.
        mirrors (tuple[str]): URLs of the same weights, or ``hf-hub:`` and a
            repository.
        sha256 (str, optional): Of ``weights``: hexadecimal, all digits or
            the first 8 and more.
        size (int, optional): Of ``weights``, in bytes.
        backbone (str, optional): Of third parties' files: which of ours they
            are converted to.
        fields (dict): The whole entry.
    """
    name: str
    config: Optional[str] = None
    weights: Optional[str] = None
    mirrors: Tuple[str, ...] = ()
    sha256: Optional[str] = None
    size: Optional[int] = None
    backbone: Optional[str] = None
    fields: dict = {}


def shipped_root() -> Optional[str]:
    """Folder of the shipped ``model-index.yml``; None where there is none."""
    return shipped_place(INDEX)


@lru_cache()
def shipped_models() -> Dict[str, ModelRow]:
    """All models that come with the package, by name."""
    root = shipped_root()
    if root is None:
        return {}
    rows: Dict[str, ModelRow] = {}
    index = osp.join(root, INDEX)
    for path in parse_yaml(read_utf8(index), index)['Import']:
        rows.update(read_models(osp.join(root, path), root=root))
    return rows


def parse_metafile(content: object,
                   source: str,
                   root: str = '') -> Dict[str, ModelRow]:
    """Read the models of a metafile.

    Args:
        content (object): What its YAML holds.
        source (str): File or URL, for errors.
        root (str): Folder that configs are relative to. Defaults to none.

    Returns:
        dict[str, ModelRow]: By name.

    Raises:
        ValueError: If an entry is not of the form; names file and model.

    Example:
        >>> row = dict(Name='a', Weights='a_20261128-0123abcd.pth')
        >>> parse_metafile(dict(Models=[row]), 'metafile.yml')['a'].sha256
        '0123abcd'
    """
    models = content.get('Models') if isinstance(content, dict) else None
    if not isinstance(models, list):
        raise ValueError(f"{source} is no metafile: no list 'Models' in it")
    rows = {}
    for fields in models:
        if not isinstance(fields, dict) or not isinstance(
                fields.get('Name'), str):
            raise ValueError(f"{source}: a model has no 'Name'")
        if not re.fullmatch(r'[\w+-][\w.+-]*', fields['Name']):
            raise ValueError(f"{source}: '{fields['Name']}' is no model name: "
                             'letters, digits and -_.+ are')
        row = _parse_row(fields, source, root)
        rows[row.name] = row
    return rows


def read_models(path: str,
                source: Optional[str] = None,
                root: str = '') -> Dict[str, ModelRow]:
    """:func:`parse_metafile` of a file; ``source`` is its path if not said."""
    source = source or path
    return parse_metafile(parse_yaml(read_utf8(path), source), source, root)


def parse_yaml(text: str, source: str) -> object:
    """YAML to plain types.

    Raises:
        ValueError: If it is none; names the source.
    """
    try:
        return yaml.load(text, getattr(yaml, 'CSafeLoader', yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(f'{source} is no YAML: {error}') from error


def hash_in_name(path: str) -> Optional[str]:
    """Digits of the SHA-256 in a published file's name.

    Example:
        >>> hash_in_name('zoo/vit_20261128-0123abcd.pth')
        '0123abcd'
    """
    found = HASH_IN_NAME.search(path)
    return found and found[1]


def _parse_row(fields: dict, source: str, root: str) -> ModelRow:
    name, weights = fields['Name'], fields.get('Weights')
    said, config = fields.get('Metadata') or {}, fields.get('Config')
    mirrors = fields.get('Mirrors') or ()
    mirrors = (mirrors, ) if isinstance(mirrors, str) else mirrors
    _refuse(source, name,
            [('Metadata', said, isinstance(said, dict), ', no table'),
             ('Config', config, isinstance(config,
                                           (str, type(None))), ', no file'),
             ('Weights', weights, isinstance(weights,
                                             (str, type(None))), NO_FILE),
             ('Mirrors', mirrors, isinstance(mirrors, (list, tuple))
              and all(isinstance(m, str) for m in mirrors), NO_FILE)])
    sha256, size = said.get('SHA-256'), said.get('Bytes')
    _refuse(source, name,
            [('SHA-256', sha256, sha256 is None or isinstance(sha256, str)
              and re.fullmatch('[0-9a-fA-F]{8,64}', sha256), NO_DIGITS),
             ('Bytes', size, size is None
              or isinstance(size, int) and size > 0, ', no number')])
    if config and root:
        config = osp.join(root, *config.split('/'))
    return ModelRow(name, config, weights, tuple(mirrors), sha256
                    or (weights and hash_in_name(weights)), size,
                    fields.get('Backbone'), fields)


def _refuse(source: str, name: str, checks: list) -> None:
    """Refuse the first value out of form: (what, value, is well, else)."""
    for what, value, well, otherwise in checks:
        if not well:
            raise ValueError(
                f'{source}: {what} of {name} is {value!r}{otherwise}')


def read_utf8(path: str) -> str:
    """A file's text.

    Raises:
        ValueError: If it is none; names it.
    """
    with open(path, encoding='utf-8') as file:
        try:
            return file.read()
        except UnicodeDecodeError as error:
            raise ValueError(f'{path} is no text in UTF-8: {error}') from error


def shown(path: str) -> str:
    """A path as one types it here: relative where it is below."""
    relative = osp.relpath(path)
    return path if relative.startswith(os.pardir) else relative
