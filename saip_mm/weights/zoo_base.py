"""The base of the zoo: a folder, or an address, of weights of one's own."""
import hashlib
import os
import os.path as osp
import re
from glob import escape, glob
from typing import Dict, Optional
from urllib.parse import urlsplit
from urllib.request import url2pathname

from mmengine.logging import print_log

from .atomic import write_file
from .model_index import (ModelRow, hash_in_name, parse_metafile, parse_yaml,
                          read_models)
from .transfer import DownloadError, read_text

BASE = 'SAIP_MM_ZOO'
CACHE = 'SAIP_MM_CACHE'
METAFILE = 'metafile.yml'  # of the base: models that are not in the package
HUB = 'hf-hub:'
WEB = ('http://', 'https://')
PUBLISHED = re.compile(r'(.+)_(\d{8})-[0-9a-f]{8}\.(pth|safetensors)')


def cache_folder() -> str:
    """Where downloads are kept: ``$SAIP_MM_CACHE``.

    Without it ``$XDG_CACHE_HOME/saip_mm``, that is ``~/.cache/saip_mm``.
    """
    home = os.environ.get('XDG_CACHE_HOME') or osp.join('~', '.cache')
    return osp.abspath(
        osp.expanduser(os.environ.get(CACHE) or osp.join(home, 'saip_mm')))


def base_address() -> Optional[str]:
    """The base of the zoo, ``$SAIP_MM_ZOO``: a folder or a web address.

    Returns:
        str, optional: A path, or a URL without a slash at its end; None
        where the variable is not set.

    Raises:
        ValueError: If it names no folder, nor the web.
    """
    base = os.environ.get(BASE)
    if not base:
        return None
    if base.startswith(WEB):
        return base.rstrip('/')
    folder = local_path(base)
    if folder is None or not osp.isdir(folder):
        raise ValueError(f"{BASE}='{base}' is no folder: set it to a folder, "
                         'file:///FOLDER or http(s)://..., or unset it')
    return folder


def local_path(address: str) -> Optional[str]:
    """Path of an address on this machine; None if it is not on it.

    Example:
        >>> local_path('file:///srv/zoo'), local_path('https://a.b/zoo')
        ('/srv/zoo', None)
    """
    if address.startswith('file://'):
        return url2pathname(urlsplit(address).path)
    if '://' in address or address.startswith(HUB):
        return None
    return osp.expanduser(address)


def model_of_base(name: str) -> Optional[ModelRow]:
    """A model of the base that ``SAIP_MM_ZOO`` names.

    Args:
        name (str): Of the model; what is a path is none.

    Returns:
        ModelRow or None: By the base's metafile, of a folder also by the
        names of its files; a web server is asked again for what it did not
        have before.
    """
    if osp.basename(name) != name or not name:
        return None
    base = base_address()
    if base is None:
        return None
    row = metafile_models().get(name)
    if base.startswith(WEB):
        return row or metafile_models(fresh=True).get(name)
    return row or published_files(name).get(name)


def metafile_models(fresh: bool = False) -> Dict[str, ModelRow]:
    """Models of the base's own metafile, if it has one.

    Args:
        fresh (bool): Ask a web server again; else what it said last counts.
            Without an answer it counts too.
    """
    base = base_address()
    if base is None:
        return {}
    if not base.startswith(WEB):
        path = osp.join(base, METAFILE)
        if not osp.isfile(path):
            return {}
        return read_models(path)
    digest = hashlib.sha256(base.encode()).hexdigest()[:16]
    path = osp.join(cache_folder(), 'bases', f'{digest}.yml')
    url = f'{base}/{METAFILE}'
    if not fresh:
        return _kept_table(path, url)
    try:
        text = read_text(url)
    except DownloadError as error:
        kept = _kept_table(path, url)
        print_log(
            f'{error}: ' + ('what it said last counts'
                            if kept else 'its models are not known'),
            'current',
            level=30)
        return kept
    rows = {}
    if text is not None:
        rows = parse_metafile(parse_yaml(text, url), url)
        write_file(path, text.encode())
    elif osp.isfile(path):
        os.remove(path)
    return rows


def _kept_table(path: str, url: str) -> Dict[str, ModelRow]:
    return read_models(path, url) if osp.isfile(path) else {}


def published_files(name: str = '*') -> Dict[str, ModelRow]:
    """Published files in a base that is a folder, by their names alone.

    The newest of each model: ``<name>_<yyyymmdd>-<8 digits>.pth``.
    """
    base = base_address()
    if base is None or base.startswith(WEB):
        return {}
    pattern = ('*' if name == '*' else escape(name)) + '_*-*.*'
    found = {}
    for path in glob(osp.join(escape(base), pattern)):
        form = PUBLISHED.fullmatch(osp.basename(path))
        if form and name in ('*', form[1]):
            key = (form[2], form[3] == 'pth', osp.getmtime(path), path)
            found[form[1]] = max(found.get(form[1], key), key)
    return {
        name:
        ModelRow(
            name,
            weights=osp.basename(path),
            sha256=hash_in_name(path),
            fields=dict(Name=name, Weights=osp.basename(path)))
        for name, (*_, path) in found.items()
    }
