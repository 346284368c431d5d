"""Publishing a backbone: what goes into the file, and its name."""
import datetime
import hashlib
import io
import os.path as osp
import re
from collections import OrderedDict
from typing import Callable, Dict, NamedTuple, Optional

import torch
from torch import Tensor

from ..version import __version__
from .atomic import write_file
from .convert import convert_backbone
from .converted import Converted
from .finite import check_finite
from .read import read_checkpoint
from .safetensors_file import safetensors_bytes
from .training_facts import training_facts, versions

BUFFERS = ('running_mean', 'running_var', 'num_batches_tracked')


class Published(NamedTuple):
    """A published file: path, scalar parameters, SHA-256 in hexadecimal."""
    path: str
    parameters: int
    sha256: str


class Statistics(NamedTuple):
    """Running statistics that stand in for the checkpoint's.

    Attributes:
        values (dict[str, Tensor]): By the backbone's names, of all of its
            BatchNorms.
        pictures (int): How many they are of.
    """
    values: Dict[str, Tensor]
    pictures: int


Measure = Callable[[Converted], Statistics]


class Prepared(NamedTuple):
    """What is going to be published.

    Attributes:
        content (dict): ``meta`` and ``state_dict``.
        name (str): Of the model.
        stem (str): Of the files: name and date.
        parameters (int): Scalars.
    """
    content: dict
    name: str
    stem: str
    parameters: int


def publish_backbone(checkpoint: str,
                     out_dir: str = '.',
                     which: Optional[str] = None,
                     name: Optional[str] = None,
                     date: Optional[str] = None,
                     measure: Optional[Measure] = None,
                     **said) -> Published:
    """Write the image encoder's backbone alone to a file of its own.

    The keys carry no prefix, so that any OpenMMLab library takes the file by
    ``init_cfg=dict(type='Pretrained', checkpoint=...)`` on the backbone, with
    no missing and no unexpected key. ``meta`` holds ``position_grid`` (plain
    transformers), ``origin``, ``input`` (mean and std, RGB in 0-255, and
    size), ``backbone`` (arguments that the tensors do not show: heads, last
    stride), ``tokens`` (the encoder's norms behind the backbone, as lists,
    see :func:`.encoder_facts.encoder_facts`), ``teacher``, ``data`` and
    ``licence`` where known, ``versions`` of the libraries and, if objectives
    left parameters untrained, their names as ``untrained``. Same checkpoint,
    name, date and versions: same bytes.

    Args:
        checkpoint (str): A training checkpoint, or a backbone in any layout
            that :func:`.convert.convert_backbone` knows.
        out_dir (str): Folder, made if need be. Defaults to the current one.
        which (str, optional): 'student' or 'expert'. Defaults to None: the
            student, of DINO's and SOLIDER's files the teacher, of a file of
            one alone that one.
        name (str, optional): Model name, the file's beginning. Defaults to
            the name of the config it was trained with.
        date (str, optional): As yyyymmdd. Defaults to today.
        measure (Callable, optional): What measures the running statistics of
            its BatchNorms anew: :func:`saip_mm.apis.measure_statistics` with
            its pictures; ``meta['batch_norm']`` says on how many. Defaults to
            None: those of the training.
        **said: Texts that stand in for what the checkpoint says: ``teacher``
            (what it learnt from; an average of itself, or an expert),
            ``data`` (names of the config's lists or folders, without their
            places) and ``licence`` (of the weights, such as 'CC-BY-NC-4.0').
            And ``semantic_weight``, lambda of SOLIDER's, see
            :func:`.backbone.extract_backbone`, which ``meta`` then says.

    Returns:
        Published: ``<out_dir>/<name>_<date>-<sha8>.pth``, where sha8 are the
        first 8 hexadecimal digits of the file's SHA-256.

    Raises:
        FileNotFoundError, ValueError: If the checkpoint cannot be read, has
            no such encoder, lacks one of its tensors or holds one that is
            not finite; if name or date are malformed.
    """
    made = prepare(checkpoint, which, name, date, measure, **said)
    return write_hashed(made.content, osp.join(out_dir, made.stem),
                        made.parameters)


def prepare(checkpoint: str,
            which: Optional[str] = None,
            name: Optional[str] = None,
            date: Optional[str] = None,
            measure: Optional[Measure] = None,
            teacher: Optional[str] = None,
            data: Optional[str] = None,
            licence: Optional[str] = None,
            semantic_weight: Optional[float] = None) -> Prepared:
    """What :func:`publish_backbone` writes; nothing is written.

    Args and errors: as there.
    """
    date = date or datetime.date.today().strftime('%Y%m%d')
    if not re.fullmatch(r'\d{8}', date):
        raise ValueError(f"date '{date}' is not of the form yyyymmdd")
    content = read_checkpoint(checkpoint)
    try:
        found = convert_backbone(
            content, which, semantic_weight=semantic_weight)
    except ValueError as error:
        raise ValueError(f'{checkpoint}: {error}') from error
    name = name or _config_name(found.meta) or osp.splitext(
        osp.basename(checkpoint))[0]
    if osp.basename(name) != name:
        raise ValueError(f"name '{name}' must be a file's name without folder")
    given = dict(teacher=teacher, data=data, licence=licence)
    published = OrderedDict(
        meta=_published_meta(found, checkpoint, given),
        state_dict=OrderedDict())
    for key, value in found.weights.items():  # a clone has its own storage
        published['state_dict'][key] = value.detach().clone().contiguous()
    if measure is not None:
        _replace_statistics(published, measure(convert_backbone(published)))
    parameters = sum(v.numel() for k, v in found.weights.items()
                     if not k.endswith(BUFFERS))
    return Prepared(published, name, f'{name}_{date}', parameters)


def _replace_statistics(content: dict, statistics: Statistics) -> None:
    weights = content['state_dict']
    for key, value in statistics.values.items():
        if key not in weights or weights[key].shape != value.shape:
            raise ValueError(f'{key} {tuple(value.shape)} was measured, and '
                             'the backbone has none such')
        weights[key] = value.to(weights[key].dtype)
    content['meta']['batch_norm'] = f'{statistics.pictures} plain pictures'


def _published_meta(found: Converted, checkpoint: str, given: dict) -> dict:
    meta = found.meta
    origin = dict(
        config=_config_name(meta),
        which=found.which,
        epoch=meta.get('epoch'),
        iter=meta.get('iter'),
        saip_mm_version=__version__,
        source_sha256=file_sha256(checkpoint))
    if isinstance(meta.get('origin'), dict):  # a backbone already
        origin['converted'] = dict(meta['origin'])
    elif not found.layout.startswith('saip_mm'):
        origin['converted'] = dict(layout=found.layout)
    published = dict(training_facts(meta), **found.checkpoint()['meta'])
    published.update((k, v) for k, v in given.items() if v)
    published.update(origin=origin, versions=versions())
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
