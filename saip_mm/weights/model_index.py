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
    for path in _load(osp.join(root, INDEX))['Import']:
        path = osp.join(root, path)
        rows.update(parse_metafile(_load(path), path, root))
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
    said = fields.get('Metadata') or {}
    sha256, size = said.get('SHA-256'), said.get('Bytes')
    mirrors = fields.get('Mirrors') or ()
    if weights is not None and not isinstance(weights, str):
        raise ValueError(f"{source}: Weights of {name} is {weights!r}, no "
                         'file or URL')
    if sha256 is not None and not (isinstance(sha256, str) and re.fullmatch(
            '[0-9a-fA-F]{8,64}', sha256)):
        raise ValueError(
            f'{source}: SHA-256 of {name} is {sha256!r}: 8 to 64 hexadecimal '
            "digits are wanted, in quotes ('12345678' would be a number)")
    if size is not None and not (isinstance(size, int) and size > 0):
        raise ValueError(f'{source}: Bytes of {name} is {size!r}, no number')
    if isinstance(mirrors, str):
        mirrors = (mirrors, )
    config = fields.get('Config')
    if config and root:
        config = osp.join(root, *config.split('/'))
    return ModelRow(name, config, weights, tuple(mirrors), sha256
                    or (weights and hash_in_name(weights)), size,
                    fields.get('Backbone'), fields)


def _load(path: str) -> object:
    with open(path, encoding='utf-8') as file:
        return parse_yaml(file.read(), path)


def shown(path: str) -> str:
    """A path as one types it here: relative where it is below."""
    relative = osp.relpath(path)
    return path if relative.startswith(os.pardir) else relative
