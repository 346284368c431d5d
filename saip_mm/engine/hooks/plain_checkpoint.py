import logging
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer, print_log

from mmpretrain.registry import HOOKS


def to_plain(value: Any, where: str = 'checkpoint') -> Any:
    """Turn a nested value into types that ``weights_only=True`` reads.

    Args:
        value (Any): Dicts, lists, tuples, numbers, strings, tensors, NumPy
            arrays and scalars, paths; anything else becomes its ``str``,
            with a warning.
        where (str): Name of the value in that warning.

    Returns:
        Any: The same in plain types; arrays become tensors if numeric, lists
        otherwise, sets sorted lists.

    Example:
        >>> to_plain(dict(a=np.float32(0.5), b=(np.int64(1), {2, 1})))
        {'a': 0.5, 'b': (1, [1, 2])}
    """
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, dict):
        return {
            to_plain(k, where): to_plain(v, f'{where}.{k}')
            for k, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        items = [to_plain(v, f'{where}[{i}]') for i, v in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, (set, frozenset)):
        return sorted(to_plain(v, where) for v in value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        if value.dtype.kind in 'biuf':
            return torch.from_numpy(value.copy())
        return to_plain(value.tolist(), where)
    for kind in (bool, int, float, str):  # subclasses, an IntEnum say
        if isinstance(value, kind):
            return kind(value)
    if not isinstance(value, PurePath):
        print_log(
            f'{where} is a {type(value).__name__}, saved as its str()',
            'current',
            level=logging.WARNING)
    return str(value)


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Checkpoints of plain types: ``torch.load(weights_only=True)`` opens.

    mmengine saves the log's history as objects of its own and NumPy arrays;
    they become tensors here, and history again when loading.

    Args:
        max_history (int): Values kept of each scalar, in memory and in the
            checkpoint. mmengine keeps a million and copies them at every
            update; only the smoothing windows are read. Defaults to 10000.
    """

    priority = 'LOWEST'  # after hooks that add to the checkpoint

    def __init__(self, max_history: int = 10000) -> None:
        self.max_history = max_history

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Replace everything but the weights by plain values."""
        for buffer in runner.message_hub.log_scalars.values():
            buffer.max_length = self.max_history
        hub = checkpoint['message_hub']
        hub['log_scalars'] = {
            key: self.pack(buffer)
            for key, buffer in hub['log_scalars'].items()
        }
        for key in checkpoint:
            if key != 'state_dict':
                checkpoint[key] = to_plain(checkpoint[key], key)

    def pack(self, buffer: HistoryBuffer) -> dict:
        """Last values and counts of a scalar as tensors ``(n, )``."""
        history, counts = buffer.data
        return dict(
            history=history[-self.max_history:],
            counts=counts[-self.max_history:])

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Make the log's history of the tensors again."""
        scalars = checkpoint.get('message_hub', {}).get('log_scalars', {})
        for key, packed in scalars.items():
            if isinstance(packed, dict):
                scalars[key] = HistoryBuffer(packed['history'].cpu().numpy(),
                                             packed['counts'].cpu().numpy(),
                                             self.max_history)
