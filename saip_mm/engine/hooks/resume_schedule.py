import copy
import warnings
from typing import Any, Dict, Iterator, List, Optional, Tuple

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop

from mmpretrain.registry import HOOKS
from ...weights import CheckpointError
from ...weights.saved_config import saved_settings
from ..resume_report import changes, concerns_schedule, describe_changes, plain

CHOICES = ('kept', 'new')


@HOOKS.register_module()
class ResumeScheduleHook(Hook):
    """Say what a resumed run keeps; go on with its schedule, or a new one.

    mmengine takes learning rates, weight decay and their schedulers from the
    checkpoint, whatever the config says. ``train`` registers this hook.

    Args:
        schedule (str, optional): ``'kept'``: the checkpoint's schedule and
            optimiser settings go on as they were made. ``'new'``: weights,
            the optimiser's moments and the counters of iterations are kept;
            settings of the optimiser and schedulers are those of the config,
            advanced to the present iteration, so that the rate is what the
            config has there. Defaults to None: kept, but refused if the
            batch of all processes is another, for which the checkpoint's
            rates are not meant.

    Raises:
        CheckpointError: If the batch is another and ``schedule`` is None, or
            the optimiser is another.
    """

    priority = 'VERY_HIGH'  # a report comes before what it announces

    def __init__(self, schedule: Optional[str] = None) -> None:
        if schedule not in (None, *CHOICES):
            raise ValueError(f'--resume-schedule {schedule}: it is one of '
                             f'{", ".join(CHOICES)}')
        self.schedule = schedule
        self.report: List[str] = []
        self.advance = False

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add the batch that the learning rate is for."""
        checkpoint['meta']['batch'] = batch_of(runner)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Decide on the schedule before mmengine takes it up."""
        # mmengine would run this text as a program; its own is under 'cfg'
        meta = checkpoint.get('meta') or {}
        meta.pop('config', None)
        if not runner._resume:
            return
        saved = saved_settings(meta) or None
        present = runner.cfg._cfg_dict.to_dict()
        if self.schedule is None:
            self._compare_batch(runner, checkpoint)
        self._compare_optimizer(runner, checkpoint, saved, present)
        self.advance = self.schedule == 'new'
        if not self.advance and 'param_schedulers' not in checkpoint:
            # mmengine would begin the schedule again
            self.advance = bool(runner.param_schedulers)
        self._make_report(runner, meta, saved,
                          changes(saved, present) if saved else {})
        if self.advance:
            checkpoint.pop('param_schedulers', None)
            self._take_settings(runner, checkpoint)
            if _other_epoch(runner, checkpoint):
                # the running epoch begins again, see ResumeEpochHook
                meta['iter'] = meta['epoch'] * len(runner.train_dataloader)
        else:
            self._keep_schedule(runner, checkpoint, saved)

    def before_train(self, runner) -> None:
        """Bring new schedulers to where training is; report."""
        if not self.report:
            return
        if self.advance:
            advance_schedulers(runner)
        rates = runner.optim_wrapper.get_lr()
        base = {k: v for k, v in rates.items() if k.endswith('base_lr')}
        listed = ', '.join(f'{v[0]:.6g}' for v in (base or rates).values())
        self.report.insert(1, f'learning rate of the next step: {listed}')
        runner.logger.info('\n  '.join(self.report))
        self.report = []
        done, length, key = progress_of(runner)
        if done >= length:
            runner.logger.warning(
                f'nothing to train: {done} of train_cfg.{key}={length} are '
                f'done. To train longer, --cfg-options train_cfg.{key}='
                f'{2 * done} with --resume --resume-schedule new')

    def _compare_batch(self, runner, checkpoint: dict) -> None:
        old = (checkpoint.get('meta') or {}).get('batch')
        new = batch_of(runner)
        if not isinstance(old, dict) or not old.keys() >= new.keys():
            problem = _other_epoch(runner, checkpoint)
        elif _product(old) != _product(new):
            problem = (f'was trained with {_batch(old)} a step, this run has '
                       f'{_batch(new)}')
        else:
            return
        if problem:
            raise CheckpointError(
                f'{runner._load_from or "the checkpoint"} {problem}, and its '
                'learning rates are meant for the former. Choose: '
                '--resume-schedule new takes rate and schedule of this '
                'config (with --auto-scale-lr the rate follows the batch), '
                '--resume-schedule kept goes on with those of the checkpoint')

    def _compare_optimizer(self, runner, checkpoint: dict,
                           saved: Optional[dict], present: dict) -> None:
        file = runner._load_from or 'the checkpoint'
        remedy = ('to start from its weights with a fresh optimiser, leave '
                  f'out --resume and set --cfg-options load_from={file}')
        types = [
            _get(cfg, 'optim_wrapper', 'optimizer', 'type')
            for cfg in (saved, present)
        ]
        if None not in types and types[0] != types[1]:
            raise CheckpointError(f'{file} holds the state of {types[0]}, '
                                  f'this run has {types[1]}: {remedy}')
        for states in _states(runner, checkpoint):
            sizes = [[len(group['params']) for group in state['param_groups']]
                     for state in states]
            if sizes[0] != sizes[1]:
                raise CheckpointError(
                    f'the optimiser of {file} has {len(sizes[0])} groups of '
                    f'{sum(sizes[0])} parameters, this run\'s has '
                    f'{len(sizes[1])} of {sum(sizes[1])} or divides them '
                    f'differently (model, paramwise_cfg): {remedy}')

    def _take_settings(self, runner, checkpoint: dict) -> None:
        """Settings of the fresh optimiser into the state to be loaded."""
        for state, present in _states(runner, checkpoint):
            state['param_groups'] = copy.deepcopy(present['param_groups'])
            state.pop('base_param_settings', None)

    def _keep_schedule(self, runner, checkpoint: dict,
                       saved: Optional[dict]) -> None:
        """Build the schedulers that the states are of; note it in the
        config."""
        old = (saved or {}).get('param_scheduler')
        if old is not None and plain(old) != plain(
                runner.cfg.get('param_scheduler')):
            runner.param_schedulers = runner.build_param_scheduler(
                _with_ends(old, checkpoint))
            runner.cfg.param_scheduler = old
        states = checkpoint.get('param_schedulers')
        built = runner.param_schedulers
        if isinstance(states, list) and len(states) != len(built or ()):
            raise CheckpointError(
                f'{runner._load_from} holds {len(states)} schedulers, the '
                f'config {len(built or ())}: --resume-schedule new takes '
                'those of the config')
        if not saved:
            return
        for part in ('optimizer', 'paramwise_cfg'):
            value = _get(saved, 'optim_wrapper', part)
            if value is not None:
                runner.cfg.optim_wrapper[part] = value
        runner.dump_config()

    def _make_report(self, runner, meta: dict, saved: Optional[dict],
                     changed: Dict[str, Tuple[Any, Any]]) -> None:
        schedule = ('weight decay, learning rate and their schedule'
                    if not self.advance else '')
        kept = ['weights', 'optimiser moments', 'counters', 'random seed']
        self.report = [
            f'resume from {runner._load_from or runner.work_dir}: epoch '
            f'{meta.get("epoch")}, iteration {meta.get("iter")}',
            f'kept: {", ".join(kept + [schedule] * bool(schedule))}',
            'taken from this config: ' +
            ('schedule, rates, ' if self.advance else '') +
            'length, hooks, data',
        ]
        if saved is None:
            self.report.append('the checkpoint does not tell its config: '
                               'what has changed is not known')
            return
        lines = describe_changes(changed, self.advance)
        self.report += [f'changed: {line}' for line in lines]
        if not self.advance and concerns_schedule(changed):
            self.report.append('--resume-schedule new would take schedule '
                               'and rates from this config')


def advance_schedulers(runner) -> None:
    """Step fresh schedulers as often as a run up to here would have.

    Those that wait for a validation's result begin anew.
    """
    schedulers = runner.param_schedulers or []
    if isinstance(schedulers, dict):
        schedulers = [s for group in schedulers.values() for s in group]
    schedulers = [
        s for s in schedulers if not getattr(s, 'need_val_args', False)
    ]
    by_iter = [s for s in schedulers if not s.by_epoch]
    by_epoch = [s for s in schedulers if s.by_epoch]
    length, epoch = len(runner.train_dataloader), 0
    in_epochs = not isinstance(runner.train_loop, IterBasedTrainLoop)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # no optimiser step between them
        for step in range(1, runner.iter + 1):
            for scheduler in by_iter:
                scheduler.step()
            if in_epochs and step % length == 0 and epoch < runner.epoch:
                epoch += 1
                for scheduler in by_epoch:
                    scheduler.step()


def batch_of(runner) -> Dict[str, int]:
    """Processes, images of each and accumulated steps behind one update."""
    loader = runner.train_dataloader
    size = loader.batch_size or getattr(loader.batch_sampler, 'batch_size', 1)
    wrapper = runner.optim_wrapper
    return dict(
        processes=get_world_size(),
        per_process=int(size),
        accumulated=int(getattr(wrapper, '_accumulative_counts', 1)))


def progress_of(runner) -> Tuple[int, int, str]:
    """What is done, of how much, and the setting that says so."""
    if isinstance(runner.train_loop, IterBasedTrainLoop):
        return runner.iter, runner.max_iters, 'max_iters'
    return runner.epoch, runner.max_epochs, 'max_epochs'


def _states(runner, checkpoint: dict) -> Iterator[Tuple[dict, dict]]:
    """State of each optimiser, saved and present."""
    saved, present = checkpoint['optimizer'], runner.optim_wrapper.state_dict()
    if 'param_groups' in present:
        yield saved, present
    else:
        for name in present:
            yield saved.get(name, {'param_groups': []}), present[name]


def _other_epoch(runner, checkpoint: dict) -> str:
    """How epochs differ, for files that do not tell their batch."""
    info = checkpoint.get('message_hub', {}).get('runtime_info', {})
    if isinstance(runner.train_loop,
                  IterBasedTrainLoop) or not info.get('max_epochs'):
        return ''
    old = info['max_iters'] // info['max_epochs']
    new = len(runner.train_dataloader)
    return '' if old == new else (
        f'had {old} iterations an epoch, this run has {new} (batch, number '
        'of processes or data changed)')


def _with_ends(schedulers: Any, checkpoint: dict) -> Any:
    """Schedulers with the ends that the checkpoint's run gave them."""
    info = checkpoint.get('message_hub', {}).get('runtime_info', {})
    if isinstance(schedulers, dict) and 'type' not in schedulers:
        return {k: _with_ends(v, checkpoint) for k, v in schedulers.items()}
    if isinstance(schedulers, dict):
        schedulers = [schedulers]
    ends = [
        info.get('max_epochs' if s.get('by_epoch', True) else 'max_iters')
        for s in schedulers
    ]
    return [
        dict(s) if end is None else dict(dict(end=end), **s)
        for s, end in zip(schedulers, ends)
    ]


def _get(cfg: Optional[dict], *keys: str) -> Any:
    for key in keys:
        cfg = cfg.get(key) if isinstance(cfg, dict) else None
    return cfg


def _product(batch: dict) -> int:
    return batch['processes'] * batch['per_process'] * batch['accumulated']


def _batch(batch: dict) -> str:
    return (f'{batch["processes"]} processes x {batch["per_process"]} images '
            f'x {batch["accumulated"]} accumulated = {_product(batch)}')
