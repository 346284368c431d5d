from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS
from .model_parts import heads_with


@HOOKS.register_module()
class FreezePrototypesHook(Hook):
    """Keep the prototypes as they are in the first epochs.

    Their gradients are computed (DistributedDataParallel sees no unused
    parameter) and clipped, then dropped right before each optimiser step:
    without a gradient AdamW neither moves nor decays them. This holds under
    gradient accumulation and mixed precision, as torch calls the hook in
    ``optimizer.step`` itself.

    Does nothing if no head has any.

    Args:
        epochs (int): Defaults to 1 (DINO's ``freeze_last_layer``).
    """

    def __init__(self, epochs: int = 1) -> None:
        self.epochs = epochs

    def before_train(self, runner) -> None:
        """Hook into the optimiser."""
        frozen = [
            param for head in heads_with(runner, 'prototypes')
            for param in head.prototypes.parameters()
        ]
        if not frozen:
            return

        def drop(optimizer, args, kwargs) -> None:
            if runner.epoch < self.epochs:
                for param in frozen:
                    param.grad = None

        self.handle = runner.optim_wrapper.optimizer.register_step_pre_hook(
            drop)

    def after_train(self, runner) -> None:
        """Leave the optimiser as it was."""
        if hasattr(self, 'handle'):
            self.handle.remove()
