"""The zoo: files of weights by model name, ``saip://NAME``.

A name is looked up in the shipped ``model-index.yml``; what is not published
there, in the base of the zoo, a folder or an address of one's own. Files are
verified, and kept in one folder.
"""
import os
import os.path as osp
import re
from difflib import get_close_matches
from typing import Dict, List, Optional
from urllib.parse import quote, urlsplit

from .download import download, mismatch
from .model_index import ModelRow, shipped_models, shown
from .transfer import DownloadError, NoRoomError
from .zoo_base import (BASE, CACHE, HUB, WEB, base_address, cache_folder,
                       local_path, metafile_models, model_of_base,
                       published_files)

SCHEME = 'saip://'
HUB_FILE = 'model.safetensors'  # timm's repositories have this one
OWN_DATA = re.compile(r'/saip/(vit_tiny|starnet_s3|tinyvit_5m)\.py$')
GPUS = re.compile(r'_(\d+)xb\d+')


class NotPublishedError(FileNotFoundError):
    """A model of the table has no published weights; says how to get some."""


def find_model(name: str) -> ModelRow:
    """Look a model up.

    Args:
        name (str): As in the table of the package or of the base.

    Raises:
        ValueError: If nobody knows it, naming those that are alike, or if
            the base is at fault.
    """
    shipped = shipped_models().get(name)
    if shipped is not None and shipped.weights:
        return shipped
    own = model_of_base(name)
    if own is not None:
        return _completed(own, shipped)
    if shipped is not None:
        return shipped
    known = sorted({
        **shipped_models(),
        **published_files(),
        **metafile_models()
    })
    alike = get_close_matches(name, known, 5, 0.5)
    raise ValueError(f"no model '{name}' in the zoo" +
                     (f', but {", ".join(alike)}' if alike else '') +
                     ": 'saip-mm zoo list' has all names" +
                     f', {BASE} may name a folder of your own' *
                     (not base_address()))


def list_models() -> Dict[str, ModelRow]:
    """All models of the package and of the base, by name."""
    rows = dict(shipped_models())
    own = {**published_files(), **metafile_models(fresh=True)}
    for name, row in own.items():
        if name not in rows or not rows[name].weights:
            rows[name] = _completed(row, rows.get(name))
    return rows


def fetch(name: str) -> str:
    """Have a model's file of weights on this machine, verified.

    A file in a base that is a folder is used where it lies; others are
    downloaded to :func:`cache_folder`, once.

    Args:
        name (str): As in :func:`find_model`.

    Returns:
        str: Its path.

    Raises:
        NotPublishedError: If there are no weights; says how to train them.
        DownloadError: If no address has the file as it should be.
        ValueError: As :func:`find_model`.
    """
    return fetch_row(find_model(name))


def local_file(place: str) -> Optional[str]:
    """Path of a file on this machine.

    Args:
        place (str): A path, an address of the web, or ``saip://NAME``, which
            is fetched if need be.

    Returns:
        str, optional: None for an address of the web.

    Raises:
        NotPublishedError, DownloadError, ValueError: As of :func:`fetch`.
    """
    if place.startswith(SCHEME):
        return fetch(place[len(SCHEME):].partition('#')[0])
    if '://' in place:
        return None
    return osp.expanduser(place)


def fetch_row(row: ModelRow) -> str:
    """:func:`fetch` for a model that was looked up."""
    if not row.weights:
        raise NotPublishedError(how_to_get(row))
    problems: List[str] = []
    path = kept_file(row, problems)
    if path is not None:
        return path
    for address in _web_addresses(row):
        path = _place(row, address)
        same = osp.basename(path) == _file_name(row.weights)
        try:
            return download(address, path, row.sha256 if same else None,
                            row.size if same else None)
        except NoRoomError as error:
            raise NoRoomError(f'{error} ({CACHE} names it)') from error
        except DownloadError as error:
            problems.append(str(error))
    file = _file_name(row.weights)
    reasons = '; '.join(problems) or f'no {BASE} is set and it has no URL'
    raise DownloadError(
        f'cannot get the weights of {row.name}: {reasons}. Without a network, '
        f'copy {file} to a folder and set {BASE} to it, or to '
        f'{_place(row, file)}')


def kept_file(row: ModelRow,
              problems: Optional[List[str]] = None) -> Optional[str]:
    """A model's file on this machine, if it is there and as it should be.

    Args:
        row (ModelRow): The model.
        problems (list[str], optional): Gets what is wrong with files found.
    """
    if not row.weights:
        return None
    problems = [] if problems is None else problems
    for path, kept in _local_files(row):
        if not osp.isfile(path):
            if not kept:
                problems.append(f'there is no {path}')
            continue
        same = osp.basename(path) == _file_name(row.weights)
        problem = mismatch(path, row.sha256, row.size) if same else None
        if problem is None:
            return path
        problems.append(f'{path} has {problem}')
    return None


def drop_unverified(row: ModelRow, path: str) -> bool:
    """Take a download without a known hash out of the cache.

    For one that proved unreadable: it would stay so.

    Returns:
        bool: Whether it was one.
    """
    same = osp.basename(path) == _file_name(row.weights)
    if (same and row.sha256) or osp.dirname(path) != osp.dirname(
            _place(row, path)):
        return False
    os.remove(path)
    return True


def how_to_get(row: ModelRow) -> str:
    """What to do about a model without published weights."""
    if not row.config:
        return (f'{row.name} has neither weights nor a config: correct its '
                'entry in the metafile')
    root, found, _ = row.config.rpartition(osp.join('', 'configs', ''))
    if not found:  # of a base, whose configs are not known here
        return (f'{row.name} has no weights in its metafile, and its config '
                f'is {row.config}: train it by that, or correct its entry')
    tools, config = osp.join(root, 'tools'), shown(row.config)
    train = f'python {shown(osp.join(tools, "train.py"))} {config}'
    gpus = GPUS.search(row.name)
    if gpus and int(gpus[1]) > 1:
        many = shown(osp.join(tools, 'dist_train.sh'))
        train += f' (its recipe: bash {many} {config} {gpus[1]})'
    backbone = OWN_DATA.search(row.config.replace(os.sep, '/'))
    if backbone:
        train += (', or on a folder of your own: saip-mm pretrain FOLDER '
                  f'--backbone {backbone[1]}')
    publish = shown(osp.join(tools, 'publish_model.py'))
    return (
        f'no weights of {row.name} are published, neither here nor by its '
        f'authors. Train it: {train}. Then publish the result to a folder of '
        f'yours, python {publish} CHECKPOINT --name {row.name} --out-dir '
        f'FOLDER, and with {BASE}=FOLDER {SCHEME}{row.name} is that file')


def _completed(own: ModelRow, shipped: Optional[ModelRow]) -> ModelRow:
    """A model of the base, with what the package knows of it."""
    if shipped is None:
        return own
    about = {
        **(shipped.fields.get('Metadata') or {}),
        **(own.fields.get('Metadata') or {})
    }
    return own._replace(
        config=shipped.config,
        fields={
            **shipped.fields,
            **own.fields, 'Metadata': about
        })


def _file_name(address: str) -> str:
    if '://' in address:
        address = urlsplit(address).path
    return osp.basename(address)


def _place(row: ModelRow, address: str) -> str:
    """Where a download is kept."""
    return osp.join(cache_folder(), row.name, _file_name(address))


def _local_files(row: ModelRow) -> List[tuple]:
    """Places where a model's file may lie, and which are of the cache."""
    places, base = [], base_address()
    if base is not None and not base.startswith(WEB):
        places.append((osp.join(base, _in_base(row.weights)), False))
    if row.weights.startswith('file://') or osp.isabs(row.weights):
        places.append((local_path(row.weights), False))
    addresses = (row.weights, *map(_web_address, row.mirrors))
    places += [(_place(row, address), True) for address in addresses]
    return places


def _web_addresses(row: ModelRow) -> List[str]:
    """URLs to try, one after the other."""
    addresses, base = [], base_address()
    if base is not None and base.startswith(WEB):
        addresses.append(f'{base}/{quote(_in_base(row.weights))}')
    addresses += [_web_address(a) for a in (row.weights, *row.mirrors)]
    return [a for a in dict.fromkeys(addresses) if a.startswith(WEB)]


def _in_base(weights: str) -> str:
    """Where a file lies in a base: by its path there, or by its name."""
    if '://' in weights or osp.isabs(weights):
        return _file_name(weights)
    return weights


def _web_address(address: str) -> str:
    if not address.startswith(HUB):
        return address
    from huggingface_hub import hf_hub_url  # minds HF_ENDPOINT
    return hf_hub_url(address[len(HUB):], HUB_FILE)


def state_of(row: ModelRow) -> str:
    """``'here'``, ``'published'`` or ``'not published'``."""
    if not row.weights:
        return 'not published'
    return 'here' if kept_file(row) else 'published'


def describe(row: ModelRow) -> List[str]:
    """What is known of a model, in lines."""
    about = dict(row.fields.get('Metadata') or {})
    if row.sha256 and len(row.sha256) < 64:
        about['SHA-256'] = f'{row.sha256} (its first digits)'
    said = {
        'Name': row.name,
        'Config': row.config and shown(row.config),
        **about, 'Source': row.fields.get('Code'),
        'Weights': row.weights,
        'Mirrors': ', '.join(map(_web_address, row.mirrors)),
        'Here': kept_file(row)
    }
    lines = [f'{key:14}  {value}' for key, value in said.items() if value]
    return lines if row.weights else lines + [how_to_get(row)]
