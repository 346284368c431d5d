"""TransReID's learning rate: a warm-up cut out of one cosine."""
import math
from typing import List

from mmengine.logging import print_log
from mmengine.optim import _ParamScheduler
from mmengine.optim.scheduler.param_scheduler import INF

from mmpretrain.registry import PARAM_SCHEDULERS


def warm_cosine(step: int, value: float, base: float, length: int,
                warm_up: int, start: float, floor: float) -> float:
    """Learning rate of a step.

    The cosine is that of the whole length: it begins under the warm-up,
    where it is not seen.

    Args:
        step (int): t, from 0.
        value (float): v, the rate of the group.
        base (float): B, the rate of the config, of which start and floor are
            shares.
        length (int): E, of the training.
        warm_up (int): w steps.
        start (float): Share at the start of the warm-up.
        floor (float): Share at the end.

    Returns:
        float: ``start*B + t*(v - start*B)/w`` in the warm-up, then
        ``floor*B + (v - floor*B)*(1 + cos(pi*t/E))/2``.

    Example:
        >>> round(warm_cosine(20, 4e-4, 4e-4, 120, 20, .01, .002), 11)
        0.00037325867
    """
    if step < warm_up:
        return start * base + step * (value - start * base) / warm_up
    lowest = floor * base
    turn = math.pi * min(step, length) / length
    return lowest + (value - lowest) * (1 + math.cos(turn)) / 2


@PARAM_SCHEDULERS.register_module()
class WarmCosineLR(_ParamScheduler):
    """:func:`warm_cosine` by epoch.

    mmengine's linear warm-up followed by its cosine is another curve: theirs
    begins to fall where the warm-up ends, up to 41 % away from this one.

    A training that leaves nothing behind the warm-up warms up for a tenth of
    its length.

    Args:
        optimizer (OptimWrapper): With the config's rate in its defaults.
        warm_up (int): Epochs. Defaults to 20.
        start (float): Share of the rate at the start. Defaults to 0.01.
        floor (float): Share at the end. Defaults to 0.002.
        begin (int): First epoch. Defaults to 0.
        end (int): End of training; the runner gives it where a config does
            not. Defaults to the far future.
        by_epoch (bool): Steps are epochs. Defaults to True.
        **kwargs: ``last_step`` and ``verbose`` of mmengine's schedulers.

    Source:
        TransReID-SSL (fc39e88), whose scheduler is stepped after each epoch.
    """

    def __init__(self,
                 optimizer,
                 warm_up: int = 20,
                 start: float = 0.01,
                 floor: float = 0.002,
                 begin: int = 0,
                 end: int = INF,
                 by_epoch: bool = True,
                 **kwargs) -> None:
        self.length = end - begin
        self.warm_up, self.start, self.floor = warm_up, start, floor
        if self.length <= warm_up:
            self.warm_up = self.length // 10
            print_log(
                f'WarmCosineLR: a training of {self.length} leaves no room '
                f'behind the warm-up of {warm_up}: it takes {self.warm_up}',
                'current')
        # of the state, as base_values are: a resumed run goes on with both
        inner = getattr(optimizer, 'optimizer', optimizer)
        self.base = inner.defaults['lr']
        super().__init__(
            optimizer, 'lr', begin=begin, end=end, by_epoch=by_epoch, **kwargs)

    def _get_value(self) -> List[float]:
        return [
            warm_cosine(self.last_step, value, self.base, self.length,
                        self.warm_up, self.start, self.floor)
            for value in self.base_values
        ]
