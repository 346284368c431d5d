"""Classes that files of weights may hold besides tensors and plain types."""
import _compat_pickle
import io
import pickletools
from argparse import Namespace
from contextlib import nullcontext
from typing import Any, BinaryIO, Callable, Dict, Iterator, List, Optional, Set

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.utils import digit_version

# of HistoryBuffer's own methods, which it pickles by getattr
STATISTICS = ('min', 'max', 'mean', 'current')


def _statistic(owner: Any, name: str) -> Callable:
    """What ``getattr`` may do here: name a method of ``HistoryBuffer``.

    Real ``getattr`` on the list of allowed functions would reach anything.
    """
    if owner is HistoryBuffer and name in STATISTICS:
        return getattr(HistoryBuffer, name)
    raise ValueError(f'getattr({owner!r}, {name!r}) is not read from a file')


def _no_bytes() -> bytes:
    """How Python 2's pickles write empty bytes, of an empty array say."""
    return b''


def _numpy_core():
    return np._core if hasattr(np, '_core') else np.core


def plain_types() -> Dict[str, Any]:
    """Functions and classes by the names that files call them by.

    mmengine's own runner saves the log's history as ``HistoryBuffer`` with
    NumPy arrays in it; MAE, DINO and DeiT save their command line.

    Returns:
        dict: All of them make data and run nothing.
    """
    found = {
        'mmengine.logging.history_buffer.HistoryBuffer': HistoryBuffer,
        'builtins.getattr': _statistic,
        'builtins.bytes': _no_bytes,
        'argparse.Namespace': Namespace,
        'numpy.ndarray': np.ndarray,
        'numpy.dtype': np.dtype,
    }
    multiarray = _numpy_core().multiarray
    for core in ('numpy.core', 'numpy._core'):  # NumPy 1 and 2
        for name in ('_reconstruct', 'scalar'):
            found[f'{core}.multiarray.{name}'] = getattr(multiarray, name)
    for code in '?bhilqBHILQefdgFD':
        kind = type(np.dtype(code))
        found[f'{kind.__module__}.{kind.__qualname__}'] = kind
    return found


def allowing_plain_types():
    """Context in which ``torch.load(weights_only=True)`` reads them too.

    Before PyTorch 2.6 torch has no way to say under which name, so that they
    are refused there.
    """
    version = digit_version(torch.__version__.split('+')[0])
    if version < digit_version('2.6.0'):
        return nullcontext()
    return torch.serialization.safe_globals([
        (value, name) for name, value in plain_types().items()
    ])


def foreign_names(pickled: bytes) -> List[str]:
    """Functions and classes a pickle asks for that are not read here.

    Nothing of the pickle is run.

    Args:
        pickled (bytes): One or several pickles, whole or cut short.

    Returns:
        list[str]: Dotted names, in their order, each once.
    """
    known = _known_to_torch() | set(plain_types())
    asked: Dict[str, None] = {}
    file = io.BytesIO(pickled)
    try:
        while file.tell() < len(pickled):
            for name in _asked_names(file):
                asked[name] = None
    except Exception:  # it ends early, or is none: what was found counts
        pass
    return [name for name in map(_modern, asked) if name not in known]


def _asked_names(file: BinaryIO) -> Iterator[str]:
    """Dotted names of one pickle's functions and classes, as it has them."""
    strings: List[str] = []
    memo: Dict[int, Optional[str]] = {}
    top = None  # of the stack, where it is a string
    for opcode, argument, _ in pickletools.genops(file):
        kind = opcode.name
        if kind in ('PUT', 'BINPUT', 'LONG_BINPUT', 'MEMOIZE'):
            memo[len(memo) if argument is None else argument] = top
            continue
        top = argument if isinstance(argument, str) else None
        if kind in ('GLOBAL', 'INST'):
            yield '.'.join(argument.split(' '))
            top = None
        elif kind == 'STACK_GLOBAL':
            yield '.'.join(strings[-2:]) or '?'
        elif kind in ('GET', 'BINGET', 'LONG_BINGET'):
            top = memo.get(argument)
        if top is not None:
            strings.append(top)


def _modern(name: str) -> str:
    """The name that Python 3 gives to a name of Python 2's pickles."""
    module, _, attribute = name.rpartition('.')
    module, attribute = _compat_pickle.NAME_MAPPING.get((module, attribute),
                                                        (module, attribute))
    return f'{_compat_pickle.IMPORT_MAPPING.get(module, module)}.{attribute}'


def _known_to_torch() -> Set[str]:
    from torch import _weights_only_unpickler as unpickler
    return set(unpickler._get_allowed_globals()) | {
        f'torch.{name}Storage'
        for name in ('Float', 'Double', 'Half', 'BFloat16', 'Long', 'Int',
                     'Short', 'Char', 'Byte', 'Bool', 'ComplexFloat')
    } | {'torch.storage.UntypedStorage', 'torch.storage.TypedStorage'}
