"""Every file that mmengine loads is read by :func:`.read.read_checkpoint`.

mmengine reads a file without restrictions once the safe way has refused it.
Its loaders, by kind of path, are replaced here when saip_mm is imported:
``load_from``, ``--resume``, ``init_cfg`` and the inference functions of all
OpenMMLab libraries then have one door.
"""
import io
import os.path as osp

import torch
from mmengine.fileio import get_file_backend
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from . import zoo
from .download import download, kept_as
from .read import meta_of, read_checkpoint, read_content, unwrapped
from .saved_config import NOT_RUN, builds_known_classes, parse_config
from .third_party import convert_third_party


def _for_mmengine(checkpoint: dict) -> dict:
    """Out of nests, and without texts that mmengine would run as programs.

    Its runner executes ``meta['config']``, of which its forerunner wrote one,
    to compare the number of GPUs. Its inferencers, given no config, execute
    ``cfg``, of ``meta`` or ``message_hub``; one of plain settings stays.
    """
    meta = meta_of(checkpoint)
    meta.pop('config', None)
    for place in (meta, _runtime_info(checkpoint)):
        settings = parse_config(place.get('cfg'))
        if 'cfg' in place and not (settings
                                   and builds_known_classes(settings)):
            # under a name that nobody runs: resuming compares its settings
            place[NOT_RUN] = place.pop('cfg')
    return unwrapped(checkpoint)


def _runtime_info(checkpoint: dict) -> dict:
    for key in ('message_hub', 'runtime_info'):
        checkpoint = checkpoint.get(key)
        if not isinstance(checkpoint, dict):
            return {}
    return checkpoint


def load_from_local(filename, map_location=None) -> dict:
    """A file on this machine."""
    return _for_mmengine(read_checkpoint(str(filename), map_location))


def load_from_http(filename, map_location=None) -> dict:
    """A file from the web, kept in torch's folder of downloads.

    By its address, not by its name alone: many are called ``epoch_300.pth``.
    """
    folder = osp.join(torch.hub.get_dir(), 'checkpoints')
    path = download(filename, kept_as(filename, folder))
    return load_from_local(path, map_location)


def load_from_ceph(filename, map_location=None, backend='petrel') -> dict:
    """A file in an object store that mmengine has a backend for."""
    store = get_file_backend(filename, backend_args=dict(backend=backend))
    with io.BytesIO(store.get(filename)) as file:
        content = read_content(file, filename, map_location)
    return _for_mmengine(content)


def load_from_torchvision(filename, map_location=None) -> dict:
    """``torchvision://resnet50`` and the like."""
    name = filename.split('://', 1)[1]
    url = mmengine_checkpoint.get_torchvision_models()[name]
    return load_from_http(url, map_location)


def load_from_openmmlab(filename, map_location=None) -> dict:
    """``open-mmlab://NAME``: a URL, or a file below mmengine's home."""
    name = filename.split('://', 1)[1]
    renamed = mmengine_checkpoint.get_deprecated_model_names()
    url = mmengine_checkpoint.get_external_models()[renamed.get(name, name)]
    if url.startswith(('http://', 'https://')):
        return load_from_http(url, map_location)
    home = mmengine_checkpoint._get_mmengine_home()
    return load_from_local(osp.join(home, url), map_location)


def load_from_mmcls(filename, map_location=None) -> dict:
    """``mmcls://NAME``: the backbone of a published classifier."""
    url = mmengine_checkpoint.get_mmcls_models()[filename[len('mmcls://'):]]
    return mmengine_checkpoint._process_mmcls_checkpoint(
        load_from_http(url, map_location))


def load_from_pavi(filename, map_location=None) -> dict:
    """Refused: nothing here can tell how that service's files are made."""
    raise ValueError(f'{filename}: download the file and name its path')


def load_from_zoo(filename, map_location=None) -> dict:
    """``saip://NAME``: the weights of a model of :mod:`.zoo`.

    Those of third parties get our backbones' names. ``#model`` behind a name
    puts a backbone where the model of its config has it.
    """
    name, _, place = filename[len(zoo.SCHEME):].partition('#')
    row = zoo.find_model(name)
    path = zoo.fetch_row(row)
    try:
        checkpoint = load_from_local(path, map_location)
        if row.backbone:
            checkpoint = convert_third_party(checkpoint, row.backbone, path)
    except ValueError as error:
        if zoo.drop_unverified(row, path):
            raise ValueError(f'{error}; it was taken out of the cache: try '
                             'again') from error
        raise
    if place == 'model':
        from .model_hub import in_whole_model  # mmpretrain's, which is heavy
        checkpoint = in_whole_model(checkpoint, row)
    return checkpoint


LOADERS = {
    '': load_from_local,
    'http://': load_from_http,
    'https://': load_from_http,
    'pavi://': load_from_pavi,
    r'(\S+\:)?s3://': load_from_ceph,
    r'(\S+\:)?petrel://': load_from_ceph,
    'modelzoo://': load_from_torchvision,
    'torchvision://': load_from_torchvision,
    'open-mmlab://': load_from_openmmlab,
    'openmmlab://': load_from_openmmlab,
    'mmcls://': load_from_mmcls,
    zoo.SCHEME: load_from_zoo,
}


def register_loaders() -> None:
    """Put the loaders in mmengine's place."""
    for prefix, loader in LOADERS.items():
        CheckpointLoader.register_scheme(prefix, loader, force=True)


register_loaders()
