from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS
from .model_parts import heads_with


@HOOKS.register_module()
class ExpertTemperatureHook(Hook):
    """Raise the expert's temperature linearly, one value an epoch.

    Epoch 0 has ``start``, epoch ``epochs - 1`` and all later ones ``end``.
    Does nothing if no head has such a temperature. Heads without prototypes,
    which learn a frozen expert's channels, keep theirs: these numbers are for
    cosines.

    Args:
        start (float): Defaults to 0.04 (DINO).
        end (float): Defaults to 0.07: DINO's longer recipe, as ``epochs``;
            its code's default and SAIP's release stay at 0.04.
        epochs (int): Length of the warm-up; it may be longer than the
            training, which then ends below ``end``. Defaults to 30.
    """

    def __init__(self,
                 start: float = 0.04,
                 end: float = 0.07,
                 epochs: int = 30) -> None:
        if start <= 0 or end <= 0:
            raise ValueError(f'temperatures must be positive, got {start} '
                             f'and {end}')
        self.start = start
        self.end = end
        self.epochs = epochs

    def temperature(self, epoch: int) -> float:
        """Temperature of an epoch, counted from 0.

        Example:
            >>> hook = ExpertTemperatureHook(0.04, 0.07, epochs=4)
            >>> [round(hook.temperature(e), 3) for e in range(5)]
            [0.04, 0.05, 0.06, 0.07, 0.07]
        """
        if epoch >= self.epochs:
            return self.end
        share = epoch / max(1, self.epochs - 1)
        return self.start + share * (self.end - self.start)

    def before_train_epoch(self, runner) -> None:
        """Set the epoch's temperature."""
        for head in heads_with(runner, 'expert_temperature'):
            if getattr(head, 'prototypes', True) is None:
                continue
            head.expert_temperature = self.temperature(runner.epoch)
            runner.message_hub.update_scalar('train/expert_temperature',
                                             head.expert_temperature)
