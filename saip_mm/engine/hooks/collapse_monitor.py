import math
from typing import Dict, Optional

import numpy as np
from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS
from .model_parts import bare_model, heads_with

REMEDIES = (
    'a lower learning rate, a longer warm-up, a lower expert temperature '
    '(uniform targets) or a slower centre (certain targets) are the usual '
    'remedies')
MATCHING_REMEDIES = (
    'a lower learning rate, an expert momentum nearer to 1, fewer prototypes, '
    "balanced targets (centering='sinkhorn'), a larger batch, or "
    'InstanceMatchingHead, which has no prototypes, are what to try')


class CollapseError(RuntimeError):
    """The representation has collapsed and the monitor was told to stop."""


@HOOKS.register_module()
class CollapseMonitorHook(Hook):
    """Warn when student or targets collapse, or matching does not learn.

    Every ``interval`` iterations the means of the model's health numbers
    since the last check are compared with:

    - spread of the student's L2-normalised image tokens: 1/sqrt(D) if they
      fill the sphere, 0 if all images look the same;
    - entropy of the expert's targets: ln K if they are uniform, 0 if they
      are all certain;
    - prototypes which are the most similar one for some image of the batch,
      over the square root of what one view of it could use at one each,
      ``min(images, K)``. Where matching is stuck, all images share a few,
      however many they are: 0.2 to 1.6 for 8 to 512 images and K of 512 and
      4096. Where it learns, more images use more prototypes: 3.3 and above;
    - how much more often student and expert choose the same prototype for
      two views of a person than for two persons: 0 at chance and 1 at best,
      whatever batch and K (``match_above_chance``). Balanced targets use
      many prototypes also where nothing is learnt; this tells: below 0.04 at
      the random start, above 0.1 after a hundred iterations that learn.

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
        min_use (float): Least prototypes in use, over the square root of
            what a process's batch could use. Defaults to 1.5.
        min_prototypes (float, optional): Least number of them, in place of
            ``min_use``. Defaults to None.
        min_match (float): Least agreement above chance. Defaults to 0.05.
        stop (bool): Raise :class:`CollapseError` instead of warning.
            Defaults to False.

    Source:
        Spread as in lightly's ``std_of_l2_normalized``. The limits are ours;
        those of matching from 150 iterations of 32 photographs at 64x32 with
        a small StarNet.
    """

    def __init__(self,
                 interval: int = 50,
                 begin: int = 1000,
                 patience: int = 5,
                 min_spread: float = 0.1,
                 entropy=(0.01, 0.999),
                 min_use: float = 1.5,
                 min_prototypes: Optional[float] = None,
                 min_match: float = 0.05,
                 stop: bool = False) -> None:
        self.interval = interval
        self.begin = begin
        self.patience = patience
        self.min_spread = min_spread
        self.entropy = tuple(entropy)
        self.min_use = min_use
        self.min_prototypes = min_prototypes
        self.min_match = min_match
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
                self._alarm(runner, name, complaint)

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
        if not single:
            complaints.update(self._check_matching(runner))
        return complaints

    def _check_matching(self, runner) -> Dict[str, Optional[str]]:
        """Complaints about the choice of prototypes."""
        complaints: Dict[str, Optional[str]] = {}
        used = self._recent(runner, 'prototypes')
        use = self._recent(runner, 'prototype_use')
        least = self.min_prototypes
        if least is None and use is not None:
            # said as the number that would be enough, not as a ratio
            least = self.min_use * used / use
        if used is not None and least is not None:
            complaints['prototypes'] = None if used >= least else (
                f"the expert's answers use {used:.3g} prototypes a batch, "
                f'fewer than {least:.3g}: most images get the same answers')
        match = self._recent(runner, 'match')
        if match is not None:
            complaints['match'] = None if match >= self.min_match else (
                'student and expert choose the same prototype for two views '
                f'of a person only {match:.3g} more often than for two '
                f'persons, below {self.min_match}: matching does not learn')
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

    def _alarm(self, runner, name: str, complaint: str) -> None:
        matching = name in ('prototypes', 'match')
        message = (
            f'collapse at iteration {runner.iter + 1}: {complaint} for '
            f'{self.patience} checks. Look at health/* and knn/* in the log; '
            f'{MATCHING_REMEDIES if matching else REMEDIES}')
        if self.stop:
            raise CollapseError(message)
        runner.logger.warning(message)


def _count_images(data_batch) -> Optional[int]:
    """Images of a collated batch; of several views, those of the first."""
    inputs = (data_batch or {}).get('inputs')
    if isinstance(inputs, dict):
        inputs = next(iter(inputs.values()), None)
    return None if inputs is None else len(inputs)
