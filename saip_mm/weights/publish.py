"""Publishing the image encoder of a training checkpoint."""
import datetime
import hashlib
import io
import os.path as osp
import re
from collections import OrderedDict
from typing import NamedTuple, Optional, Tuple

import torch

from ..version import __version__
from .atomic import write_file
from .backbone import BACKBONES, backbone_options, extract_backbone
from .finite import check_finite
from .read import meta_of, read_checkpoint, weights_of
from .safetensors_file import safetensors_bytes
from .training_facts import training_facts, versions

# how a backbone's names begin that stands alone
OWN_NAMES = ('layers.', 'timm_model.')
BUFFERS = ('running_mean', 'running_var', 'num_batches_tracked')


class Published(NamedTuple):
    """A published file: path, scalar parameters, SHA-256 in hexadecimal."""
    path: str
    parameters: int
    sha256: str


def publish_backbone(checkpoint: str,
                     out_dir: str = '.',
                     which: str = 'student',
                     name: Optional[str] = None,
                     date: Optional[str] = None,
                     teacher: Optional[str] = None,
                     data: Optional[str] = None,
                     licence: Optional[str] = None,
                     semantic_weight: Optional[float] = None) -> Published:
    """Write the image encoder's backbone alone to a file of its own.

    The keys carry no prefix, so that any OpenMMLab library takes the file by
    ``init_cfg=dict(type='Pretrained', checkpoint=...)`` on the backbone, with
    no missing and no unexpected key. ``meta`` holds ``position_grid`` (plain
    transformers), ``origin``, ``input`` (mean and std, RGB in 0-255),
    ``backbone`` (arguments that the tensors do not show: heads, last stride),
    ``teacher``, ``data`` and ``licence`` where known, ``versions`` of the
    libraries and, if objectives left parameters untrained, their names as
    ``untrained``. Same checkpoint, name, date and versions: same bytes.

    Args:
        checkpoint (str): A training checkpoint, or a backbone by this
            project's names, such as a converted one.
        out_dir (str): Folder, made if need be. Defaults to the current one.
        which (str): 'student' or 'expert'. Defaults to 'student'.
        name (str, optional): Model name, the file's beginning. Defaults to
            the name of the config it was trained with.
        date (str, optional): As yyyymmdd. Defaults to today.
        teacher (str, optional): What it learnt from. Defaults to what the
            checkpoint's config says: an average of itself, or an expert.
        data (str, optional): What it was trained on. Defaults to the names
            of the config's lists or folders, without their places.
        licence (str, optional): Of the weights, such as 'CC-BY-NC-4.0'.
        semantic_weight (float, optional): Lambda of SOLIDER's, see
            :func:`extract_backbone`; ``meta['semantic_weight']`` says it.

    Returns:
        Published: ``<out_dir>/<name>_<date>-<sha8>.pth``, where sha8 are the
        first 8 hexadecimal digits of the file's SHA-256.

    Raises:
        FileNotFoundError, ValueError: If the checkpoint cannot be read, has
            no such encoder, or holds a weight that is not finite; if name or
            date are malformed.
    """
    date = date or datetime.date.today().strftime('%Y%m%d')
    if not re.fullmatch(r'\d{8}', date):
        raise ValueError(f"date '{date}' is not of the form yyyymmdd")
    backbone, meta = _backbone_in(
        read_checkpoint(checkpoint), which, semantic_weight)
    config = _config_name(meta)
    name = name or config or osp.splitext(osp.basename(checkpoint))[0]
    if osp.basename(name) != name:
        raise ValueError(f"name '{name}' must be a file's name without folder")
    given = dict(teacher=teacher, data=data, licence=licence)
    published = OrderedDict(
        meta=_published_meta(meta, which, checkpoint, given),
        state_dict=OrderedDict())
    for key, value in backbone.items():  # a clone brings no foreign storage
        published['state_dict'][key] = value.detach().clone().contiguous()
    parameters = sum(v.numel() for k, v in backbone.items()
                     if not k.endswith(BUFFERS))
    return write_hashed(published, osp.join(out_dir, f'{name}_{date}'),
                        parameters)


def _backbone_in(content: dict, which: str,
                 semantic_weight: Optional[float]) -> Tuple[dict, dict]:
    """A training checkpoint's backbone, or the file where it is one."""
    weights = weights_of(content)
    alone = any(key.startswith(OWN_NAMES) for key in weights)
    if not alone or which not in BACKBONES:
        return extract_backbone(content, which, semantic_weight)
    return weights, dict(meta_of(content))


def _published_meta(meta: dict, which: str, checkpoint: str,
                    given: dict) -> dict:
    origin = dict(
        config=_config_name(meta),
        which=which,
        epoch=meta.get('epoch'),
        iter=meta.get('iter'),
        saip_mm_version=__version__,
        source_sha256=file_sha256(checkpoint))
    converted = meta.get('origin')
    if isinstance(converted, dict):  # the file was a backbone already
        origin['converted'] = dict(converted)
    published = dict(origin=origin)
    if 'position_grid' in meta:
        published['position_grid'] = list(meta['position_grid'])
    encoder = meta.get('encoder')
    if isinstance(encoder, dict):
        if {'mean', 'std'} <= set(encoder):
            published['input'] = dict(
                channels='RGB', mean=encoder['mean'], std=encoder['std'])
        if encoder.get('untrained'):
            published['untrained'] = encoder['untrained']
    for key in ('input', 'untrained', 'semantic_weight'):
        if key in meta:
            published[key] = meta[key]
    options = backbone_options(dict(meta=meta))
    if options:
        published['backbone'] = options
    said = {**training_facts(meta), **{k: meta[k] for k in given if k in meta}}
    said.update((k, v) for k, v in given.items() if v)
    published.update(said)
    published['versions'] = versions()
    return published


def write_hashed(checkpoint: dict,
                 stem: str,
                 parameters: int,
                 suffix: str = '.pth') -> Published:
    """Write ``<stem>-<sha8>.pth`` whole or not at all.

    Args:
        checkpoint (dict): Tensors and plain types.
        stem (str): Path without hash and suffix; its folder is made.
        parameters (int): Scalars, for the report.
        suffix (str): '.pth' or '.safetensors'. Defaults to '.pth'.

    Returns:
        Published: The hash is that of the file's bytes (mmengine's own
        ``published_keys`` hashes another pickling than it writes).
    """
    to_bytes = dict([('.pth', checkpoint_bytes),
                     ('.safetensors', safetensors_bytes)])[suffix]
    content = to_bytes(checkpoint)
    sha256 = hashlib.sha256(content).hexdigest()
    path = f'{stem}-{sha256[:8]}{suffix}'
    write_file(path, content)
    return Published(path, parameters, sha256)


def checkpoint_bytes(checkpoint: dict) -> bytes:
    """What ``torch.save`` writes, the same whatever the file's name.

    Raises:
        NonFiniteWeightsError: If a weight is NaN or infinite.
    """
    check_finite(checkpoint, 'the weights to be written')
    buffer = io.BytesIO()  # a path would put its name into the bytes
    torch.save(checkpoint, buffer)
    return buffer.getvalue()


def file_sha256(path: str) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(osp.expanduser(path), 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def _config_name(meta: dict) -> Optional[str]:
    """Experiment name of mmengine's runner, less its time stamp."""
    name = meta.get('experiment_name')
    return name and re.sub(r'_\d{8}_\d{6}$', '', name)
