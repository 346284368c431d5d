"""Schedules of trainings shorter than planned: scaled, and made to fit."""
import copy
import math
from itertools import accumulate
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from mmengine.config import Config
from mmengine.runner import IterBasedTrainLoop

from .launch_options import split_scope, tell

# settings of mmengine's schedulers that count epochs or iterations
COUNTS = ('end', 'milestones', 'step_size', 'T_max', 'periods', 'total_steps')
# those that count validations, which have an interval of their own
VALIDATIONS = ('patience', 'cooldown')


class Planned(NamedTuple):
    """Length of a training as its config file has it, before overrides."""
    key: str  # 'max_epochs' or 'max_iters'
    length: float


def planned_length(cfg: Config) -> Optional[Planned]:
    """How long a config says to train; None if it does not say."""
    loop = cfg.get('train_cfg') or {}
    return next((Planned(key, loop[key]) for key in ('max_epochs', 'max_iters')
                 if isinstance(loop.get(key), int) and loop[key] > 0), None)


def scale_schedule(cfg: Config, fraction: float) -> float:
    """Shorten a training, with its learning rate schedule, to a fraction.

    Length, milestones and ends of phases are multiplied and rounded half up;
    so is the patience of a rate that falls by a result, at least 1; a
    warm-up, which begins at 0 and ends before the training does, stays, as
    do the intervals of validation and checkpoints, and numbers in hooks. It
    is shortened like the rest where it would leave the phase behind it none
    of its epochs and has two steps or more left: mmengine's warm-up of one
    never leaves its start. A training whose rate restarts ends with a cycle.
    What has no room then is left to :func:`fit_schedule`.

    Args:
        cfg (Config): ``train_cfg`` and ``param_scheduler`` are changed.
        fraction (float): In (0, 1].

    Returns:
        float: The new length over the old one, which rounding makes other
        than the fraction.

    Raises:
        ValueError: If the fraction is something else, or the config does not
            tell its length.

    Example:
        >>> cfg = Config(dict(
        ...     train_cfg=dict(max_epochs=210),
        ...     param_scheduler=[
        ...         dict(type='LinearLR', end=500, by_epoch=False),
        ...         dict(type='MultiStepLR', end=210, milestones=[170, 200])]))
        >>> ratio = scale_schedule(cfg, 0.25)
        schedule 0.25: max_epochs 210 -> 53
        >>> cfg.param_scheduler
        [{'type': 'LinearLR', 'end': 500, 'by_epoch': False},
         {'type': 'MultiStepLR', 'end': 53, 'milestones': [43, 50]}]
    """
    if not 0 < fraction <= 1:
        raise ValueError(f'--schedule takes a fraction in (0, 1], got '
                         f'{fraction:g}: a quarter of the training is 0.25')
    planned = planned_length(cfg)
    if planned is None:
        raise ValueError('--schedule needs train_cfg.max_epochs or '
                         'train_cfg.max_iters in the config')
    key, before = planned
    length = max(_round(before * fraction), 1)
    schedulers = [s for group in _groups(cfg) for s in group]
    in_epochs = key == 'max_epochs'
    warm_ups = [
        s for s in schedulers
        if _is_warm_up(s, before if _by_epoch(s) == in_epochs else math.inf)
        and (_round(s['end'] * length / before) < 2 or all(
            _round(end * length / before) > s['end']
            for end in _next_ends(s, schedulers)))
    ]
    ends = [(_by_epoch(w), mark) for w in warm_ups for mark in _last(w)]
    for scheduler in schedulers:
        if scheduler in warm_ups:
            continue
        begin = scheduler.get('begin', 0)
        if begin and (_by_epoch(scheduler), begin) not in ends:
            scheduler['begin'] = _round(begin * length / before)
        _scale_counts(scheduler, length / before)
        _scale_patience(scheduler, length / before)
    length = _whole_cycles(length, [
        s for s in schedulers if _by_epoch(s) == in_epochs and s.get('periods')
    ])
    cfg.train_cfg[key] = length
    tell(f'schedule {fraction:g}: {key} {before} -> {length}')
    return length / before


def fit_schedule(runner, planned: Optional[Planned] = None) -> None:
    """Give the phases of a schedule room in a run too short for them.

    To be called when the data are known and the schedulers are not built
    yet. A schedule that fits is left as it is. Else a warm-up takes the first
    tenth of the run, or none where that is one iteration; what follows it
    follows on; milestones and other phases move in proportion to the
    planned length, and are left out where rounding leaves them no place; a
    patience that would outlast the run is shortened as much, to at least 1.
    One line says so; the config in the work dir and in checkpoints is
    changed as well.

    Args:
        runner (Runner): ``param_schedulers`` are changed.
        planned (Planned, optional): Length the schedule was made for.
            Defaults to None: unknown; milestones and phases that lie behind
            the end are then left out unless their scheduler tells its end.
    """
    if not runner.param_schedulers:
        return
    loop, per_epoch = runner.train_loop, len(runner.train_dataloader)
    in_epochs = not isinstance(loop, IterBasedTrainLoop)
    whole = None
    if planned and in_epochs == (planned.key == 'max_epochs'):
        whole = planned.length * (per_epoch if in_epochs else 1)
    room = Room(loop.max_iters, per_epoch, whole,
                getattr(loop, 'val_interval', 1) if in_epochs else 1)
    before = runner.param_schedulers
    if isinstance(before, dict) and 'type' not in before:
        fitted = {k: room.fit(_as_list(v)) for k, v in before.items()}
        after = {k: schedulers for k, (schedulers, _) in fitted.items()}
        lines = dict.fromkeys(line for _, line in fitted.values() if line)
    else:
        after, line = room.fit(_as_list(before))
        lines = [line] if line else []
    if not lines:
        return
    name, length = (('max_epochs', loop.max_epochs) if in_epochs else
                    ('max_iters', loop.max_iters))
    iterations = f' ({loop.max_iters} iterations)' if in_epochs else ''
    runner.logger.warning(f'train_cfg.{name}={length}{iterations} is shorter '
                          f'than {"; ".join(lines)}')
    runner.param_schedulers = after
    runner.cfg.param_scheduler = copy.deepcopy(after)
    runner.dump_config()


class Room(NamedTuple):
    """A run's length, and what is to fit into it.

    ``iters`` of the run, ``per_epoch`` iterations of an epoch, ``planned``
    iterations of the whole training if known, ``interval`` epochs from one
    validation to the next.
    """
    iters: int
    per_epoch: int
    planned: Optional[float] = None
    interval: int = 1

    def fit(self, schedulers: List[Any]) -> Tuple[List[Any], str]:
        """Schedulers that fit, and what became of those that did not.

        Args:
            schedulers (list[dict]): Of one optimiser; built ones are kept.

        Returns:
            tuple[list, str]: The same, changed copies or fewer; for the
            line, '' if nothing was changed.
        """
        given = [s for s in schedulers if isinstance(s, dict)]
        warm = [s for s in given if _is_warm_up(s, self._whole(s))]
        rest = [s for s in given if s not in warm]
        long = [s for s in warm if self._too_long(s, rest)]
        # where what follows a warm-up begins: in the plan, and here
        ends = {
            mark * self._unit(w):
            self._tenth() if w in long else mark * self._unit(w)
            for w in warm
            for mark in _last(w)
        }
        scale = any(not self._fits(s, ends) for s in rest)
        if not long and not scale:
            return schedulers, ''
        causes, effects, fitted = [], [], []
        for scheduler in schedulers:
            new, cause, effect = scheduler, '', ''
            if scheduler in long:
                new, cause, effect = self._shorten(scheduler)
            elif scheduler in rest and (scale
                                        or self._begin(scheduler) in ends):
                new, cause, effect = self._move(scheduler, ends, scale)
            fitted += [new] if new is not None else []
            causes += [cause] if cause else []
            effects += [effect] if effect else []
        return fitted, f'{" and ".join(causes)}: {", ".join(effects)}'

    def _unit(self, scheduler: dict) -> int:
        return self.per_epoch if _by_epoch(scheduler) else 1

    def _begin(self, scheduler: dict) -> int:
        return scheduler.get('begin', 0) * self._unit(scheduler)

    def _whole(self, scheduler: dict) -> float:
        """The whole training in a scheduler's unit."""
        return (self.planned or self.iters) / self._unit(scheduler)

    def _too_long(self, warm_up: dict, rest: List[dict]) -> bool:
        """Whether nothing, or nothing of the next phase, has room behind."""
        unit = self._unit(warm_up)
        stop = warm_up['end'] * unit
        next_ends = (end * unit for end in _next_ends(warm_up, rest))
        return stop >= self.iters or any(
            end > self.iters and end * self._share(end) <= stop
            for end in next_ends)

    def _tenth(self) -> int:
        # a warm-up of one iteration would leave the rate at its start
        return self.iters // 10 if self.iters >= 20 else 0

    def _fits(self, scheduler: dict, ends: Dict[int, int]) -> bool:
        begin, unit = self._begin(scheduler), self._unit(scheduler)
        if begin in ends:
            begin = ends[begin]
        marks = [begin + m * unit for m in scheduler.get('milestones', ())]
        stop = 0 if marks else scheduler.get('end', 0) * unit
        return (begin < self.iters and stop <= self.iters
                and all(mark < self.iters for mark in marks)
                and not self._too_patient(scheduler))

    def _too_patient(self, scheduler: dict) -> bool:
        """Whether the rate could not fall, and would with a share of the
        patience."""
        patience, ratio = scheduler.get('patience', 0), self._ratio(scheduler)
        if patience < 2 or not ratio:
            return False
        # the first result is the best one, then patience + 1 are worse; what
        # falls at the end of the run is of no use
        validations = self.iters // self.per_epoch // self.interval
        return patience + 2 >= validations and patience * ratio < patience

    def _shorten(self, warm_up: dict) -> Tuple[Optional[dict], str, str]:
        cause = f'the warm-up of {_count(warm_up, warm_up["end"])}'
        end = self._tenth()
        if not end:
            return None, cause, 'the warm-up is left out'
        new = self._in_iterations(warm_up)
        new['end'] = end
        return new, cause, f'the warm-up takes {end} iterations'

    def _move(self, scheduler: dict, ends: Dict[int, int],
              scale: bool) -> Tuple[Optional[dict], str, str]:
        ratio = self._ratio(scheduler) if scale else None
        cause = '' if self._fits(scheduler, ends) else _describe(scheduler)
        follows = self._begin(scheduler) in ends
        new = copy.copy(scheduler)
        if scheduler.get('convert_to_iter_based'):
            new = self._in_iterations(scheduler)
        unit = self._unit(new)
        if follows:
            new['begin'] = ends[self._begin(scheduler)] // unit
        elif ratio and new.get('begin'):
            new['begin'] = _round(new['begin'] * ratio)
        if ratio:
            _scale_counts(new, ratio)
            _scale_patience(new, ratio)
        begin, length = new.get('begin', 0), self.iters // unit
        if 'end' in new:
            new['end'] = min(new['end'], length)
        if 'milestones' in new:
            new['milestones'] = [
                m for m in new['milestones'] if 0 < m and begin + m < length
            ]
        gone = begin >= new.get('end', length) or new.get('milestones') == []
        if not cause:
            return (None if gone else new), '', ''
        if gone:
            return None, cause, _verb(scheduler, 'is left out')
        return new, cause, _verb(scheduler, _place(new))

    def _ratio(self, scheduler: dict) -> Optional[float]:
        return self._share(scheduler.get('end', 0) * self._unit(scheduler))

    def _share(self, end: int) -> Optional[float]:
        """What remains of a phase that ends so late; None for all of it."""
        whole = self.planned
        if not whole or whole <= self.iters:
            whole = end
        return self.iters / whole if whole > self.iters else None

    def _in_iterations(self, scheduler: dict) -> dict:
        new, unit = copy.copy(scheduler), self._unit(scheduler)
        new.pop('convert_to_iter_based', None)
        new['by_epoch'] = False
        if 'begin' in new:
            new['begin'] = int(new['begin'] * unit)
        _scale_counts(new, unit)
        return new


def _groups(cfg: Config) -> List[List[dict]]:
    schedulers = cfg.get('param_scheduler') or []
    if isinstance(schedulers, dict) and 'type' not in schedulers:
        return [_as_list(s) for s in schedulers.values()]
    return [_as_list(schedulers)]


def _as_list(schedulers: Any) -> list:
    return list(schedulers) if isinstance(schedulers,
                                          (list, tuple)) else [schedulers]


def _by_epoch(scheduler: dict) -> bool:
    return scheduler.get('by_epoch', True)  # mmengine's default


def _is_warm_up(scheduler: dict, whole: float) -> bool:
    """Whether a scheduler raises something from the start, and then stops.

    ``whole`` is the length of the training in its unit.
    """
    name = split_scope(scheduler['type'])[1]
    rises = (name.startswith('Linear')
             and scheduler.get('start_factor', 1 / 3) < scheduler.get(
                 'end_factor', 1.)) or (name.startswith('Constant')
                                        and scheduler.get('factor', 1 / 3) < 1)
    return (rises and 'end' in scheduler and not scheduler.get('begin')
            and scheduler['end'] != whole)


def _last(warm_up: dict) -> Tuple[int, int]:
    """Where the phase behind a warm-up begins: after, or with its last step.

    mmengine's cosine takes its height from the step that it begins with.
    """
    return warm_up['end'] - 1, warm_up['end']


def _next_ends(warm_up: dict, schedulers: List[dict]) -> List[int]:
    """Ends of the phases behind a warm-up that are counted as it is."""
    return [
        s['end'] for s in schedulers
        if 'end' in s and _by_epoch(s) == _by_epoch(warm_up)
        and s.get('begin') in _last(warm_up)
    ]


def _whole_cycles(length: int, restarting: List[dict]) -> int:
    """The nearest length that ends with a cycle of the rate."""
    for scheduler in restarting:
        ends = accumulate(
            scheduler['periods'], initial=scheduler.get('begin', 0))
        length = min(list(ends)[1:], key=lambda end: abs(end - length))
    return length


def _scale_counts(scheduler: dict, ratio: float) -> None:
    for count in COUNTS:
        value = scheduler.get(count)
        if isinstance(value, (list, tuple)):
            least = 1 if count == 'periods' else 0  # no cycle of nothing
            scheduler[count] = [max(_round(v * ratio), least) for v in value]
        elif value is not None:
            scheduler[count] = max(_round(value * ratio), 1)


def _scale_patience(scheduler: dict, ratio: float) -> None:
    for count in VALIDATIONS:
        if scheduler.get(count):  # 0 is none
            scheduler[count] = max(_round(scheduler[count] * ratio), 1)


def _count(scheduler: dict, number: int) -> str:
    unit = 'epoch' if _by_epoch(scheduler) else 'iteration'
    return f'{number} {unit}{"s" * (number != 1)}'


def _describe(scheduler: dict) -> str:
    if scheduler.get('milestones'):
        numbers = ', '.join(map(str, scheduler['milestones']))
        return f'the milestones {numbers}'
    if scheduler.get('patience'):
        return f'the patience of {scheduler["patience"]} validations'
    return f'{split_scope(scheduler["type"])[1]} {_place(scheduler)}'


def _place(scheduler: dict) -> str:
    if scheduler.get('milestones'):
        return f'become {", ".join(map(str, scheduler["milestones"]))}'
    if scheduler.get('patience'):
        return f'waits for {scheduler["patience"]}'
    end = scheduler.get('end')
    until = f' to {end}' if end else ''
    unit = 'epoch' if _by_epoch(scheduler) else 'iteration'
    return f'from {unit} {scheduler.get("begin", 0)}{until}'


def _verb(scheduler: dict, what: str) -> str:
    if scheduler.get('milestones'):
        return f'the milestones {what}'.replace(' is ', ' are ')
    return f'{split_scope(scheduler["type"])[1]} {what}'


def _round(count: float) -> int:
    return int(count + 0.5)
