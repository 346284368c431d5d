import math
from typing import Dict, Optional

import numpy as np
from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS
from .model_parts import bare_model, heads_with


class CollapseError(RuntimeError):
    """The representation has collapsed and the monitor was told to stop."""


@HOOKS.register_module()
class CollapseMonitorHook(Hook):
    """Warn when the student or the expert's targets collapse.

    Every ``interval`` iterations the means of the model's health numbers
    since the last check are compared with:

    - spread of the student's L2-normalised image tokens: 1/sqrt(D) if they
      fill the sphere, 0 if all images look the same;
    - entropy of the expert's targets: ln K if they are uniform, 0 if they
      are all certain;
    - prototypes which are the most similar one for some image of the batch:
      1 if all images get the same answer.

    After ``patience`` bad checks in a row a warning says what to do. Does
    nothing while the model gives no health numbers (matching is off). With
    one image a process there are no others to differ from, and entropy alone
    is judged; a warning says so.

    Args:
        interval (int): Iterations between checks. Defaults to 50.
        begin (int): Iterations before the first check: fresh weights look
            collapsed. Defaults to 1000.
        patience (int): Bad checks in a row before an alarm. Defaults to 5.
        min_spread (float): Least spread, in units of 1/sqrt(D). Defaults to
            0.1.
        entropy (tuple[float, float]): Least and largest entropy, in units of
            ln K. Defaults to (0.01, 0.999).
        min_prototypes (float): Least prototypes in use. Defaults to 1.5, so
            that 1 at most checks is an alarm.
        stop (bool): Raise :class:`CollapseError` instead of warning.
            Defaults to False.

    Source:
        Spread as in lightly's ``std_of_l2_normalized``. The limits are ours.
    """

    def __init__(self,
                 interval: int = 50,
                 begin: int = 1000,
                 patience: int = 5,
                 min_spread: float = 0.1,
                 entropy=(0.01, 0.999),
                 min_prototypes: float = 1.5,
                 stop: bool = False) -> None:
        self.interval = interval
        self.begin = begin
        self.patience = patience
        self.min_spread = min_spread
        self.entropy = tuple(entropy)
        self.min_prototypes = min_prototypes
        self.stop = stop
        self.bad_checks: Dict[str, int] = {}
        self.told = False

    def after_train_iter(self,
                         runner,
                         batch_idx: int,
                         data_batch=None,
                         outputs=None) -> None:
        """Check every ``interval`` iterations."""
        if (runner.iter < self.begin
                or not self.every_n_train_iters(runner, self.interval)):
            return
        single = _count_images(data_batch) == 1
        if single:
            self._tell_once(runner)
        for name, complaint in self.check(runner, single).items():
            bad = self.bad_checks.get(name, 0) + 1 if complaint else 0
            self.bad_checks[name] = bad
            if bad and bad % self.patience == 0:
                self._alarm(runner, complaint)

    def check(self, runner, single: bool = False) -> Dict[str, Optional[str]]:
        """Complaints, or None, by the name of the number.

        Args:
            runner (Runner): Its message hub holds ``train/health/*``.
            single (bool): Whether there is one image a batch, so that it
                differs from none. Defaults to False.
        """
        complaints: Dict[str, Optional[str]] = {}
        spread = None if single else self._recent(runner, 'std')
        if spread is not None:
            ratio = spread * math.sqrt(bare_model(runner).encoder.dims.image)
            complaints['spread'] = None if ratio >= self.min_spread else (
                f'image tokens are nearly the same for all images: their '
                f'spread is {ratio:.3g} of 1/sqrt(D), below '
                f'{self.min_spread}')
        entropy = self._recent(runner, 'entropy')
        head = next(heads_with(runner, 'center'), None)
        if entropy is not None and head is not None:
            ratio = entropy / math.log(head.center.numel())
            low, high = self.entropy
            side = 'certain' if ratio < low else 'uniform'
            complaints['entropy'] = None if low <= ratio <= high else (
                f"the expert's targets are nearly {side}: their entropy is "
                f'{ratio:.4g} of ln K, outside [{low}, {high}]')
        used = None if single else self._recent(runner, 'prototypes')
        if used is not None:
            complaints['prototypes'] = None if used >= self.min_prototypes \
                else (f'the expert gives {used:.3g} prototypes a batch, fewer '
                      f'than {self.min_prototypes}: nearly every image gets '
                      'the same answer')
        return complaints

    def _tell_once(self, runner) -> None:
        if self.told or self._recent(runner, 'std') is None:
            return
        self.told = True
        runner.logger.warning(
            'collapse cannot be judged by health/std and health/prototypes: '
            'a batch of one image has no others to differ from. Use a '
            'batch_size of 2 or more a process, or look at knn/*')

    def _recent(self, runner, name: str) -> Optional[float]:
        """Mean of a number since the last check, None if there is none."""
        buffer = runner.message_hub.log_scalars.get(f'train/health/{name}')
        if buffer is None:
            return None
        return float(np.mean(buffer.data[0][-self.interval:]))

    def _alarm(self, runner, complaint: str) -> None:
        message = (
            f'collapse at iteration {runner.iter + 1}: {complaint} for '
            f'{self.patience} checks. Look at health/* and knn/* in the log; '
            'a lower learning rate, a longer warm-up, a lower expert '
            'temperature (uniform targets) or a slower centre (certain '
            'targets) are the usual remedies')
        if self.stop:
            raise CollapseError(message)
        runner.logger.warning(message)


def _count_images(data_batch) -> Optional[int]:
    """Images of a collated batch; of several views, those of the first."""
    inputs = (data_batch or {}).get('inputs')
    if isinstance(inputs, dict):
        inputs = next(iter(inputs.values()), None)
    return None if inputs is None else len(inputs)
