from importlib.util import find_spec

from mmengine.logging import print_log
from mmengine.visualization import TensorboardVisBackend

from mmpretrain.registry import VISBACKENDS


class _NoWriter:
    """Takes every call of a SummaryWriter and does nothing."""

    def __getattr__(self, name: str):
        return lambda *args, **kwargs: None


@VISBACKENDS.register_module()
class OptionalTensorboardVisBackend(TensorboardVisBackend):
    """TensorBoard where it is installed, nothing where it is not.

    So a base config can name it and still run on a bare machine.
    """

    def _init_env(self) -> None:
        if find_spec('tensorboard') is None:
            print_log(
                'tensorboard is not installed: scalars are written to '
                'scalars.json only', 'current')
            self._tensorboard = _NoWriter()
        else:
            super()._init_env()
