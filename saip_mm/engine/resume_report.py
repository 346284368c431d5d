"""What has changed between a checkpoint and the run that goes on from it."""
from typing import Any, Dict, Iterator, List, Tuple

SECTIONS = ('model', 'train_dataloader', 'optim_wrapper', 'param_scheduler',
            'train_cfg', 'custom_hooks')
# a resume takes these from the checkpoint unless told otherwise
OF_SCHEDULE = ('param_scheduler', 'optim_wrapper.optimizer',
               'optim_wrapper.paramwise_cfg')
LENGTHS = ('train_cfg.max_epochs', 'train_cfg.max_iters')
LISTED = 12  # lines
MISSING = object()


def changes(saved: dict, present: dict) -> Dict[str, Tuple[Any, Any]]:
    """Settings of a training that differ, by dotted name: old and new.

    Args:
        saved (dict): Config of the checkpoint.
        present (dict): Config of this run.

    Example:
        >>> changes(dict(train_cfg=dict(max_epochs=30, type='Loop')),
        ...         dict(train_cfg=dict(max_epochs=60, type='Loop')))
        {'train_cfg.max_epochs': (30, 60)}
    """
    return {
        name: pair
        for section in SECTIONS
        for name, pair in _differences(
            saved.get(section), present.get(section), section)
    }


def describe_changes(changed: Dict[str, Tuple[Any, Any]],
                     new_schedule: bool) -> List[str]:
    """One line a change, and whether it is taken.

    Args:
        changed (dict): As of :func:`changes`.
        new_schedule (bool): Whether the schedule is built anew.
    """
    lines = []
    for name, (old, new) in changed.items():
        verdict = 'taken'
        if name.startswith(OF_SCHEDULE) and not new_schedule:
            verdict = "NOT taken, the checkpoint's is kept"
        elif '.init_cfg' in name:
            verdict = "no effect, the checkpoint's weights are kept"
        elif name in LENGTHS and not new_schedule:
            verdict = ('taken, hooks follow it; the learning rate follows '
                       'the old length')
        lines.append(f'{name}: {_short(old)} -> {_short(new)}, {verdict}')
    if len(lines) > LISTED:
        lines[LISTED:] = [f'and {len(lines) - LISTED} more']
    return lines


def concerns_schedule(changed: Dict[str, Tuple[Any, Any]]) -> bool:
    """Whether a kept schedule is not the one that the config describes."""
    return any(name.startswith(OF_SCHEDULE + LENGTHS) for name in changed)


def _differences(old: Any, new: Any,
                 name: str) -> Iterator[Tuple[str, Tuple[Any, Any]]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _differences(
                old.get(key, MISSING), new.get(key, MISSING), f'{name}.{key}')
    elif plain(old) != plain(new):
        yield name, (old, new)


def plain(value: Any) -> Any:
    """Lists for tuples, dicts for configs, None for what is missing."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if value is MISSING else value


def _short(value: Any) -> str:
    text = 'not set' if value is MISSING else repr(plain(value))
    return text if len(text) <= 60 else f'{text[:56]} ...'
