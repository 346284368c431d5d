from typing import List

from mmengine.config import Config

from .launch_options import split_scope, tell

# settings of mmengine's schedulers that count epochs or iterations
COUNTS = ('end', 'milestones', 'step_size', 'T_max', 'periods')


def scale_schedule(cfg: Config, fraction: float) -> None:
    """Shorten a training, with its learning rate schedule, to a fraction.

    Length, milestones and ends of phases are multiplied and rounded half up;
    a warm-up, which begins at 0 and ends before the training does, stays, as
    do the intervals of validation and checkpoints, and numbers in hooks.

    Args:
        cfg (Config): ``train_cfg`` and ``param_scheduler`` are changed.
        fraction (float): In (0, 1].

    Raises:
        ValueError: If the fraction is something else, the config does not
            tell its length, or the rest is no longer than the warm-up.

    Example:
        >>> cfg = Config(dict(
        ...     train_cfg=dict(max_epochs=210),
        ...     param_scheduler=[
        ...         dict(type='LinearLR', end=500, by_epoch=False),
        ...         dict(type='MultiStepLR', end=210, milestones=[170, 200])]))
        >>> scale_schedule(cfg, 0.25)
        schedule 0.25: max_epochs 210 -> 53
        >>> cfg.param_scheduler
        [{'type': 'LinearLR', 'end': 500, 'by_epoch': False},
         {'type': 'MultiStepLR', 'end': 53, 'milestones': [43, 50]}]
    """
    if not 0 < fraction <= 1:
        raise ValueError(f'--schedule takes a fraction in (0, 1], got '
                         f'{fraction:g}: a quarter of the training is 0.25')
    loop = cfg.get('train_cfg') or {}
    key = next((k for k in ('max_epochs', 'max_iters') if loop.get(k)), None)
    if key is None:
        raise ValueError('--schedule needs train_cfg.max_epochs or '
                         'train_cfg.max_iters in the config')
    before = loop[key]
    loop[key] = max(_scale(before, fraction), 1)
    tell(f'schedule {fraction:g}: {key} {before} -> {loop[key]}')
    schedulers = _schedulers(cfg)
    warm_ups = [s for s in schedulers if _is_warm_up(s, key, before)]
    for scheduler in schedulers:
        if scheduler not in warm_ups:
            _scale_scheduler(scheduler, fraction, warm_ups)
        _check_room(scheduler, key, loop[key])


def _schedulers(cfg: Config) -> List[dict]:
    schedulers = cfg.get('param_scheduler') or []
    return [schedulers] if isinstance(schedulers, dict) else schedulers


def _by_epoch(scheduler: dict) -> bool:
    return scheduler.get('by_epoch', True)  # mmengine's default


def _is_warm_up(scheduler: dict, key: str, length: int) -> bool:
    _, name = split_scope(scheduler['type'])
    if not name.startswith(('Linear', 'Constant')) or 'end' not in scheduler:
        return False
    same_unit = _by_epoch(scheduler) == (key == 'max_epochs')
    return scheduler.get('begin', 0) == 0 and (not same_unit
                                               or scheduler['end'] < length)


def _scale_scheduler(scheduler: dict, fraction: float,
                     warm_ups: List[dict]) -> None:
    begin = scheduler.get('begin', 0)
    after_warm_up = any(
        begin == w['end'] and _by_epoch(w) == _by_epoch(scheduler)
        for w in warm_ups)
    if begin and not after_warm_up:
        scheduler['begin'] = _scale(begin, fraction)
    for count in COUNTS:
        value = scheduler.get(count)
        if isinstance(value, (list, tuple)):
            scheduler[count] = [_scale(v, fraction) for v in value]
        elif value is not None:
            scheduler[count] = _scale(value, fraction)


def _check_room(scheduler: dict, key: str, length: int) -> None:
    if _by_epoch(scheduler) != (key == 'max_epochs'):
        return  # the length in its unit is known with the data only
    begin, end = scheduler.get('begin', 0), scheduler.get('end', length)
    if end > length or begin >= end:
        unit = key.split('_')[1]
        raise ValueError(
            f'--schedule leaves {length} {unit}, too few for '
            f'{scheduler["type"]} from {begin} to {end} {unit} (a warm-up '
            'keeps its length): take a larger fraction, or set '
            'param_scheduler in a config of your own')


def _scale(count: int, fraction: float) -> int:
    return int(count * fraction + 0.5)
