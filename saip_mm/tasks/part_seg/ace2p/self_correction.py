import logging
from itertools import chain
from typing import Optional, Tuple

import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import StochasticWeightAverage
from mmengine.runner import IterBasedTrainLoop
from mmseg.registry import HOOKS
from torch import nn

from saip_mm.engine.hooks.model_parts import bare_model
from saip_mm.weights import CheckpointError
from .batch_norm import estimate_batch_norm

STATE = 'self_correction'  # its place in a checkpoint


@HOOKS.register_module()
class SelfCorrectionHook(Hook):
    """Averages weights at the ends of cycles, and refines labels by them.

    After epoch ``start``, and each ``interval`` epochs from then on, the
    weights go into an average (the n-th with a share of 1 / n), whose
    BatchNorm statistics are measured anew over the training set. In the
    following cycle it refines the labels, see
    :func:`~saip_mm.tasks.part_seg.ace2p.refined.refine`. The rate should
    rise at the start of a cycle and fall until its end, for what is averaged
    to differ: left out, ``start`` and ``interval`` are those of the
    schedule's ``CosineRestartLR``, also where it was shortened.

    Once there is an average, it is what is validated and tested, and a
    checkpoint's ``state_dict``, so that it is what ``tools/test.py``,
    publishing and other libraries get. A checkpoint has the weights in
    training under ``self_correction``, and a resumed run goes on with them as
    if it had not been interrupted.

    Args:
        start (int, optional): Epochs before the first average. Defaults to
            None: before the rate's first restart.
        interval (int, optional): Epochs of a cycle. Defaults to None: those
            between restarts.

    Raises:
        ValueError: If one of the two is given alone, or is not positive;
            before training, if it is counted in iterations, or the model
            cannot learn from an average.
        CheckpointError: If a checkpoint to be resumed from is of a training
            that should have an average by then, and has none.
    """

    priority = 'NORMAL'  # before a checkpoint of the same epoch is saved

    def __init__(self,
                 start: Optional[int] = None,
                 interval: Optional[int] = None) -> None:
        given = start, interval
        if given != (None, None) and (None in given or min(given) < 1):
            raise ValueError(
                f'start={start} and interval={interval} count epochs: give '
                'both, at least 1, or none to follow the learning rate')
        self.start = start
        self.interval = interval
        self.average: Optional[StochasticWeightAverage] = None

    @property
    def count(self) -> int:
        """How many weights have been averaged."""
        return 0 if self.average is None else int(self.average.steps)

    def before_train(self, runner) -> None:
        """Refuse what would never correct anything; go on where resumed."""
        model = bare_model(runner)
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            raise ValueError(
                'SelfCorrectionHook counts epochs: set train_cfg=dict('
                "type='EpochBasedTrainLoop', max_epochs=...)")
        if not hasattr(model, 'learn_from'):
            raise ValueError(
                f'SelfCorrectionHook: a {type(model).__name__} does not learn '
                "from refined labels, set model.type='ACE2P'")
        if not self._cycles(runner, runner.max_epochs - 1):
            self._warn_of_no_cycle(runner)
        self._teach(model)

    def after_train_epoch(self, runner) -> None:
        """Take the weights into the average at the end of a cycle."""
        epoch = runner.epoch
        if self._cycles(runner, epoch + 1) == self._cycles(runner, epoch):
            return
        model = bare_model(runner)
        if self.average is None:
            self.average = _average_of(model)
        self.average.update_parameters(model)
        print_log(
            f'self-correction: average of {self.count} weights, measuring '
            f'BatchNorm over {len(runner.train_dataloader)} batches',
            'current')
        estimate_batch_norm(self.average.module, runner.train_dataloader)
        self._teach(model)

    def _cycles(self, runner, epochs: int) -> int:
        """Averages that there are after so many epochs."""
        start, interval = self.start, self.interval
        if start is None:
            start, interval = _restarts(runner)
        return max((epochs - start) // interval + 1, 0) if interval else 0

    def _warn_of_no_cycle(self, runner) -> None:
        start = self.start or _restarts(runner)[0]
        why = (f'begins after epoch {start}, and train_cfg.max_epochs is '
               f'{runner.max_epochs}' if start else
               'follows a CosineRestartLR, and param_scheduler has none')
        print_log(
            f'self-correction {why}: no label will be refined. Set start and '
            'interval of SelfCorrectionHook in custom_hooks', 'current',
            logging.WARNING)

    def _teach(self, model: nn.Module) -> None:
        average = self.average
        model.learn_from(average and average.module, self.count)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Put the average first, and the weights in training beside it."""
        if self.average is None:
            return
        checkpoint[STATE] = dict(
            count=self.count, state_dict=checkpoint['state_dict'])
        checkpoint['state_dict'] = {
            name: value.cpu()
            for name, value in self.average.module.state_dict().items()
        }

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Part them again, to resume; else the average alone is of use."""
        state = checkpoint.pop(STATE, None)
        if not runner._resume:
            return
        epoch = checkpoint['meta']['epoch']
        if state is None:
            if self._cycles(runner, epoch):
                raise CheckpointError(
                    f'{runner._load_from or "the checkpoint"} is of epoch '
                    f'{epoch} and has no average, which self-correction '
                    'should have made by then: leave SelfCorrectionHook out, '
                    f'or set its start to {epoch + 1} or later')
            return
        self.average = _average_of(bare_model(runner))
        self.average.module.load_state_dict(checkpoint['state_dict'])
        self.average.module.eval()
        self.average.steps.fill_(state['count'])
        checkpoint['state_dict'] = state['state_dict']

    def before_val_epoch(self, runner) -> None:
        """Validate the average."""
        self._exchange(runner)

    def after_val_epoch(self, runner, metrics: Optional[dict] = None) -> None:
        """Go on with the weights in training."""
        self._exchange(runner)

    def before_test_epoch(self, runner) -> None:
        """Test the average."""
        self._exchange(runner)

    def after_test_epoch(self, runner, metrics: Optional[dict] = None) -> None:
        """Leave the weights as they were trained."""
        self._exchange(runner)

    def _exchange(self, runner) -> None:
        """Average and model change places; nothing is copied."""
        if self.average is None:
            return
        model, average = bare_model(runner), self.average.module
        for own, other in zip(_tensors(model), _tensors(average)):
            own.data, other.data = other.data, own.data
        for module in (model, average):  # none keeps values of the other's
            training = module.training
            module.train()
            module.train(training)


def _restarts(runner) -> Tuple[int, int]:
    """Epochs before the rate restarts, and between restarts; 0 and 0 if not.
    """
    schedulers = runner.param_schedulers or []
    if isinstance(schedulers, dict):
        schedulers = chain(*schedulers.values())
    for scheduler in schedulers:
        if hasattr(scheduler, 'periods'):
            unit = 1 if scheduler.by_epoch else len(runner.train_dataloader)
            first, period = (
                max(round(count / unit), 1)
                for count in (scheduler.begin, scheduler.periods[0]))
            return first, period
    return 0, 0


def _average_of(model: nn.Module) -> StochasticWeightAverage:
    """An average of nothing yet, on the model's device."""
    device = next(model.parameters()).device
    with torch.no_grad():
        return StochasticWeightAverage(model, device=device)


def _tensors(model: nn.Module):
    return chain(model.parameters(), model.buffers())
