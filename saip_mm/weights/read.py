"""Reading checkpoints: safely, and with errors that say what to do."""
import os.path as osp
import re
import zipfile
from collections import OrderedDict
from contextlib import nullcontext
from typing import Dict, Sequence

import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor


class UnsafeCheckpointError(ValueError):
    """The file holds more than tensors and plain Python types."""


def read_checkpoint(path: str,
                    mmap: bool = False,
                    allow: Sequence[type] = ()) -> dict:
    """Read a checkpoint without running any code it may contain.

    Args:
        path (str): A file on this machine.
        mmap (bool): Leave tensors on disk until they are touched, which is
            cheap when only ``meta`` is wanted. Else check sums are compared.
            Defaults to False.
        allow (Sequence[type]): Harmless classes to read besides plain types.

    Returns:
        dict: What was saved, tensors on the CPU.

    Raises:
        FileNotFoundError: If there is no such file.
        UnsafeCheckpointError: If it holds more than tensors and plain types.
        ValueError: If it is damaged, cut short, or no checkpoint.
    """
    path = osp.expanduser(path)
    if not osp.isfile(path):
        raise FileNotFoundError(
            f'checkpoint {path} does not exist: check the path')
    with open(path, 'rb') as file:
        is_zip = file.read(2) == b'PK'  # since PyTorch 1.6
    try:
        if is_zip and not mmap:
            _compare_check_sums(path)
        with _allowing(allow):
            checkpoint = torch.load(
                path,
                map_location='cpu',
                weights_only=True,
                mmap=mmap and is_zip)
    except Exception as error:  # any kind: a pickle in pieces raises anything
        unsafe = re.search(
            r'Unsupported (?:global|class)\S* (?:GLOBAL )?'
            r'([\w.]+)', str(error))
        if unsafe:
            raise UnsafeCheckpointError(
                f'checkpoint {path} holds objects of {unsafe[1]}, which could '
                'run code: if you trust its origin, save it again with '
                'tensors and plain types only') from error
        raise ValueError(
            f'checkpoint {path} cannot be read ({type(error).__name__}): it '
            'is damaged, cut short, or no PyTorch file; copy it again or take '
            'an earlier one') from error
    if not isinstance(checkpoint, dict):
        raise ValueError(f'checkpoint {path} holds a '
                         f'{type(checkpoint).__name__}, not a dict of weights')
    return checkpoint


def _compare_check_sums(path: str) -> None:
    """Find damage inside the tensors, which ``torch.load`` does not see."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged:
        raise zipfile.BadZipFile(f'wrong check sum of {damaged}')


def _allowing(classes: Sequence[type]):
    if not classes or not hasattr(torch.serialization, 'safe_globals'):
        return nullcontext()  # before PyTorch 2.5
    return torch.serialization.safe_globals(list(classes))


def peek_checkpoint(file: str) -> dict:
    """Open the file of an ``init_cfg`` ahead of mmengine, cheaply.

    Args:
        file (str): A path, or a URL as in ``init_cfg``.

    Returns:
        dict: The checkpoint. About classes that are not read here, as a
        plain mmengine runner saves them, mmengine decides.

    Raises:
        FileNotFoundError, ValueError: As ``read_checkpoint``.
    """
    if '://' not in file:
        try:
            return read_checkpoint(file, mmap=True)
        except UnsafeCheckpointError:
            pass  # mmengine is going to open it in any case
    return CheckpointLoader.load_checkpoint(file, 'cpu', 'silent')


def meta_of(checkpoint: dict) -> dict:
    """``meta`` of a checkpoint, empty where it has none."""
    meta = checkpoint.get('meta')
    return meta if isinstance(meta, dict) else {}


def weights_of(checkpoint: dict) -> Dict[str, Tensor]:
    """Tensors of a checkpoint by name, without DDP's ``module.``."""
    weights = checkpoint.get('state_dict', checkpoint)
    return OrderedDict((re.sub(r'^module\.', '', key), value)
                       for key, value in weights.items()
                       if isinstance(value, Tensor))
