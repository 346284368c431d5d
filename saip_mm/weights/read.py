"""Reading checkpoints: the one way, safely, with errors that say what to do.
"""
import json
import os.path as osp
import re
import zipfile
from collections import OrderedDict
from typing import BinaryIO, Dict, List

import torch
from torch import Tensor

from .finite import check_finite, tensors_of
from .plain_types import allowing_plain_types, foreign_names

# where other codes keep the weights of a file
NESTS = ('state_dict', 'model', 'model_state_dict', 'module', 'net')
# in front of names: DDP's; anywhere: torch.compile's
WRAPPERS = re.compile(r'^(?:module\.)+')
COMPILED = '_orig_mod.'
META = 'saip_mm_meta'  # where safetensors carry our meta
SAVE_AGAIN = ('if you trust its origin, open it where it was made and save '
              'its weights alone: torch.save(model.state_dict(), FILE)')


class UnsafeCheckpointError(ValueError):
    """The file holds more than tensors and plain Python types."""


def read_checkpoint(path: str, map_location=None) -> dict:
    """Read a checkpoint without running any code it may contain.

    Args:
        path (str): A file on this machine, of PyTorch (``.pth``) or
            safetensors.
        map_location (optional): As of ``torch.load``. Defaults to None: the
            CPU, wherever the tensors were.

    Returns:
        dict: What was saved; besides plain types it may
        hold what :func:`~.plain_types.plain_types` lists. Of safetensors:
        ``state_dict`` and ``meta``.

    Raises:
        FileNotFoundError: If there is no such file.
        UnsafeCheckpointError: If it holds other classes or functions.
        NonFiniteWeightsError: If a weight is NaN or infinite.
        ValueError: If it is damaged (its check sums are compared), cut short,
            or no checkpoint.
    """
    path = osp.expanduser(path)
    if osp.isdir(path):
        raise ValueError(f'checkpoint {path} is a folder: name a file in it')
    if not osp.isfile(path):
        raise FileNotFoundError(
            f'checkpoint {path} does not exist: check the path')
    with open(path, 'rb') as file:
        return read_content(file, path, map_location)


def read_content(file: BinaryIO, name: str, map_location=None) -> dict:
    """:func:`read_checkpoint` for an open file.

    Args:
        file (BinaryIO): Its content.
        name (str): What to call it in errors.
        map_location (optional): As there.
    """
    start = file.read(16)
    file.seek(0)
    if start[8:9] == b'{' and start[:2] != b'PK':
        checkpoint = _read_safetensors(file, name)
    else:
        checkpoint = _read_torch(file, name, start, map_location or 'cpu')
    if not isinstance(checkpoint, dict):
        raise ValueError(f'checkpoint {name} holds a '
                         f'{type(checkpoint).__name__}, not a dict of weights')
    check_finite(checkpoint, f'checkpoint {name}')
    return checkpoint


def _read_torch(file: BinaryIO, name: str, start: bytes,
                map_location) -> object:
    is_zip = start[:2] == b'PK'  # since PyTorch 1.6
    if _is_text(start):
        raise ValueError(
            f'checkpoint {name} is text that starts with {start[:12]!r}, no '
            'weights: a web page or the pointer of Git LFS was saved in its '
            'place, download it again')
    try:
        if is_zip:
            _look_into_zip(file, name)
        with allowing_plain_types():
            return torch.load(
                file, map_location=map_location, weights_only=True)
    except UnsafeCheckpointError:
        raise
    except Exception as error:  # any kind: a pickle in pieces raises anything
        _refuse_foreign(file, name, is_zip, error)
        raise ValueError(
            f'checkpoint {name} cannot be read ({type(error).__name__}): it '
            'is damaged, cut short, or no PyTorch file; copy it again or take '
            'an earlier one') from error


def _is_text(start: bytes) -> bool:
    return (start[:1] in (b'<', b'{')
            or start.startswith(b'version ')) and start.isascii()


def _look_into_zip(file: BinaryIO, name: str) -> None:
    """Find programs, and damage in tensors, which torch does not see."""
    with zipfile.ZipFile(file) as archive:
        if any('/code/' in part for part in archive.namelist()):
            raise UnsafeCheckpointError(
                f'checkpoint {name} is a TorchScript program, which runs code '
                f'when opened: {SAVE_AGAIN}')
        damaged = archive.testzip()
    file.seek(0)
    if damaged:
        raise zipfile.BadZipFile(f'wrong check sum of {damaged}')


def _refuse_foreign(file: BinaryIO, name: str, is_zip: bool,
                    error: Exception) -> None:
    """Tell what could run code from what is merely damaged."""
    if isinstance(error, zipfile.BadZipFile):
        return
    found = foreign_names(_pickled(file, is_zip))
    if not found:
        return
    listed = ', '.join(found[:3]) + ' ...' * (len(found) > 3)
    what = ('a whole pickled model' if any(
        n.startswith('torch.nn.modules.') for n in found) else 'objects')
    raise UnsafeCheckpointError(
        f'checkpoint {name} holds {what} of {listed}, which could run code '
        f'when opened, and is not read: {SAVE_AGAIN}') from error


def _pickled(file: BinaryIO, is_zip: bool) -> bytes:
    """The pickle inside a file, empty where there is none."""
    file.seek(0)
    if not is_zip:
        return file.read()
    try:
        with zipfile.ZipFile(file) as archive:
            return b''.join(
                archive.read(part) for part in archive.namelist()
                if part.endswith('data.pkl'))
    except Exception:  # a zip file in pieces
        return b''


def _read_safetensors(file: BinaryIO, name: str) -> dict:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError as error:
        raise ImportError(
            f'to read {name}, install the library '
            "safetensors: pip install 'saip_mm[export]'") from error
    content = file.read()
    try:
        weights = load(content)
    except SafetensorError as error:
        raise ValueError(
            f'checkpoint {name} cannot be read ({error}): it is damaged or '
            'cut short; copy it again') from error
    length = int.from_bytes(content[:8], 'little')
    meta = json.loads(content[8:8 + length]).get('__metadata__', {})
    if META in meta:  # texts only fit there: see safetensors_bytes
        try:
            meta = json.loads(meta[META])
        except ValueError as error:
            raise ValueError(f'checkpoint {name}: its {META} is no JSON '
                             f'({error}); copy it again') from error
    return dict(meta=meta, state_dict=OrderedDict(weights))


def peek_checkpoint(file: str) -> dict:
    """Open the file of an ``init_cfg`` ahead of mmengine.

    Args:
        file (str): A path, or a URL as in ``init_cfg``.

    Returns:
        dict: The checkpoint, as mmengine will get it.

    Raises:
        FileNotFoundError, ValueError: As :func:`read_checkpoint`.
    """
    from mmengine.runner.checkpoint import CheckpointLoader
    return CheckpointLoader.load_checkpoint(file, 'cpu', 'silent')


def meta_of(checkpoint: dict) -> dict:
    """``meta`` of a checkpoint, empty where it has none."""
    meta = checkpoint.get('meta')
    return meta if isinstance(meta, dict) else {}


def weights_of(checkpoint: dict) -> Dict[str, Tensor]:
    """Tensors of a checkpoint by name, out of nests and wrappers.

    Nests are ``state_dict``, ``model`` and the like, one in the other too.
    Wrappers are ``module.`` of DistributedDataParallel and ``_orig_mod.`` of
    ``torch.compile``.

    Example:
        >>> one = torch.ones(1)
        >>> nested = dict(model={'module._orig_mod.a': one}, epoch=3)
        >>> weights_of(nested)
        OrderedDict([('a', tensor([1.]))])
    """
    nested = nest_of(checkpoint)
    return OrderedDict((WRAPPERS.sub('', key.replace(COMPILED, '')), value)
                       for key, value in nested.items()
                       if isinstance(value, Tensor))


def listed_keys(checkpoint: dict) -> List[str]:
    """Names of all tensors, however deep, as errors show them."""
    found = list(weights_of(checkpoint))
    return found or [key for key, _ in tensors_of(checkpoint)]


def nest_of(checkpoint: dict) -> dict:
    """The dict in a checkpoint that holds its tensors; itself if none."""
    for name in NESTS:
        inner = checkpoint.get(name)
        if isinstance(inner, dict):
            return nest_of(inner)
    return checkpoint


def unwrapped(checkpoint: dict) -> dict:
    """A checkpoint whose ``state_dict`` is what :func:`weights_of` gives.

    Where it is that already, the checkpoint itself, so that versions which
    modules keep in its ``_metadata`` stay.
    """
    state = checkpoint.get('state_dict')
    weights = weights_of(checkpoint)
    if isinstance(state, dict) and list(weights) == list(state):
        return checkpoint
    rest = {k: v for k, v in checkpoint.items() if k not in NESTS}
    rest = {k: v for k, v in rest.items() if not isinstance(v, Tensor)}
    return dict(rest, state_dict=weights)
