"""Reading checkpoints: safely, and with errors that say what to do."""
import os.path as osp
import re
import zipfile
from collections import OrderedDict
from contextlib import nullcontext
from typing import Dict, List, Sequence, Tuple

import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

# where a backbone lies in a training checkpoint, the first that is there
BACKBONES = dict(
    student=('encoder.backbone.', 'backbone.'),
    expert=('expert.encoder.backbone.', ))
# counters and grids: a model makes up its own where a file has none
OPTIONAL = ('pos_grid', 'num_batches_tracked')
LISTED = 5  # keys an error names of each kind
REMEDY = ('Check that architecture and width are those it was trained with; '
          "name the part of a larger model with prefix='backbone.'; convert "
          'foreign names with tools/model_converters')


class UnsafeCheckpointError(ValueError):
    """The file holds more than tensors and plain Python types."""


class NoMatchError(RuntimeError, ValueError):
    """No tensor of a checkpoint fits the model it was named for."""


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


def extract_backbone(checkpoint: dict,
                     which: str = 'student') -> Tuple[dict, dict]:
    """Take the image encoder's backbone out of a training checkpoint.

    Args:
        checkpoint (dict): As mmengine's runner saves it.
        which (str): 'student' or 'expert'.

    Returns:
        tuple: The backbone's state dict, without prefix and without the
        ``pos_grid`` buffer, so that mmpretrain's own classes take it; and
        ``meta``: what is known of its origin, with the buffer as
        ``position_grid`` ``[h, w]``.

    Raises:
        ValueError: If ``which`` is unknown or not in the checkpoint.
    """
    if which not in BACKBONES:
        raise ValueError(f"which must be 'student' or 'expert', got '{which}'")
    weights = weights_of(checkpoint)
    for prefix in BACKBONES[which]:
        backbone = OrderedDict((key[len(prefix):], value)
                               for key, value in weights.items()
                               if key.startswith(prefix))
        if backbone:
            break
    else:
        hint = (" (a frozen expert is not saved: take 'student')"
                if which == 'expert' else '')
        raise ValueError(f'the checkpoint has no {which}: no key starts with '
                         f"'{BACKBONES[which][0]}'{hint}; its keys are like "
                         f'{list(weights)[:LISTED]}')
    meta = dict(meta_of(checkpoint))
    grid = backbone.pop('pos_grid', None)
    if grid is not None:
        meta['position_grid'] = grid.tolist()
    return backbone, meta


def load_weights(module: nn.Module,
                 weights: Dict[str, Tensor],
                 source: str = 'the checkpoint') -> None:
    """Load weights, all of them or none.

    Args:
        module (nn.Module): Receives them; untouched if they do not fit.
        weights (dict[str, Tensor]): By the module's names. Position tables
            of another length are left to the module, which may resize them.
        source (str): Where they come from, for the error.

    Raises:
        ValueError: If keys or shapes differ, naming some of each kind.
    """
    check_weights(module, weights, source, exact=True)
    module.load_state_dict(weights, strict=False)


def check_weights(module: nn.Module,
                  weights: Dict[str, Tensor],
                  source: str,
                  needed: Sequence[str] = ('', ),
                  exact: bool = False,
                  file_keys: Sequence[str] = (),
                  remedy: str = REMEDY) -> None:
    """Refuse weights of another architecture.

    Args:
        module (nn.Module): Is to receive them.
        weights (dict[str, Tensor]): By the module's names.
        source (str): Where they come from, for the error.
        needed (Sequence[str]): Beginnings of the keys that must be there.
            Defaults to all.
        exact (bool): Refuse keys that the module does not have. Defaults to
            False.
        file_keys (Sequence[str]): All keys as the source has them, for the
            error. Defaults to those of ``weights``.
        remedy (str): End of the error: what to do.

    Raises:
        NoMatchError: If not a single tensor fits by name and shape.
        ValueError: If keys or shapes differ, naming some of each kind.
    """
    own = module.state_dict()
    if not any(k in own and v.shape == own[k].shape
               for k, v in weights.items()):
        raise NoMatchError(
            f'{source} does not fit {type(module).__name__}: no tensor '
            'matches by name and shape. Its keys are like '
            f'{list(file_keys or weights)[:LISTED]}, the model\'s are like '
            f'{list(own)[:LISTED]}. {remedy}')
    problems = [
        _listed('missing', [
            k for k in own if k not in weights and k.startswith(tuple(needed))
        ]),
        _listed('unexpected', [k for k in weights if exact and k not in own]),
        _listed('of another shape', [
            f'{k} {tuple(v.shape)} for {tuple(own[k].shape)}'
            for k, v in weights.items() if k in own and v.shape != own[k].shape
            and not k.endswith('pos_embed')
        ])
    ]
    problems = [problem for problem in problems if problem]
    if problems:
        raise ValueError(f'{source} does not fit {type(module).__name__}: '
                         f'{"; ".join(problems)}. {remedy}')


def _listed(kind: str, keys: List[str]) -> str:
    keys = [key for key in keys if not key.endswith(OPTIONAL)]
    more = f' and {len(keys) - LISTED} more' if len(keys) > LISTED else ''
    return keys and f'{kind}: {", ".join(keys[:LISTED])}{more}'
