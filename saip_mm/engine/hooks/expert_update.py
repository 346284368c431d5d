import math

from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS
from .model_parts import bare_model, expert_of


def cosine_momentum(step: int, total: int, base: float) -> float:
    """Weight of the old value at an optimiser step.

    ``1 - (1 - base) * (cos(pi * step / total) + 1) / 2``

    Args:
        step (int): Index of the step, from 0.
        total (int): Steps of the whole training.
        base (float): Value at step 0; it ends at 1.

    Example:
        >>> [round(cosine_momentum(k, 4, 0.996), 6) for k in (0, 2, 4)]
        [0.996, 0.998, 1.0]
    """
    return 1 - (1 - base) * (math.cos(math.pi * step / total) + 1) / 2


@HOOKS.register_module()
class ExpertUpdateHook(Hook):
    """Average the expert with the student after each optimiser step.

    The momentum runs over all optimiser steps of the training and is derived
    from the iteration, so it survives a resume and gradient accumulation. A
    step which a loss scaler skipped is counted (as in DINO): the schedule
    does not depend on overflows.

    Does nothing without an expert, or if nothing of it is averaged
    (``trainable_average`` is False).

    Args:
        base_momentum (float): Weight of the expert's old value at the first
            step. Defaults to 0.996 (DINO).

    Source:
        DINO; the authors' release restarts the schedule every epoch.
    """

    priority = 'NORMAL'  # before the log and before a checkpoint is saved

    def __init__(self, base_momentum: float = 0.996) -> None:
        if not 0 <= base_momentum <= 1:
            raise ValueError(f'base_momentum {base_momentum} is outside '
                             '[0, 1]: it is the weight of the old value')
        self.base_momentum = base_momentum

    def after_train_iter(self,
                         runner,
                         batch_idx: int,
                         data_batch=None,
                         outputs=None) -> None:
        """Update the expert if this iteration ended in a step."""
        expert, wrapper = expert_of(runner), runner.optim_wrapper
        if (expert is None or not expert.trainable_average
                or not wrapper.should_update()):
            return
        counts = wrapper._accumulative_counts
        step = math.ceil((runner.iter + 1) / counts) - 1
        total = math.ceil(runner.max_iters / counts)
        momentum = cosine_momentum(step, total, self.base_momentum)
        expert.update(bare_model(runner), momentum)
        runner.message_hub.update_scalar('train/momentum', momentum)
