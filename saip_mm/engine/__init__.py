from ..models.finite import NonFiniteError, check_finite_losses
from ..weights import AtomicBackend
from .hooks import *  # noqa: F401, F403
from .optim import *  # noqa: F401, F403
from .shipped_configs import config_path
from .tensorboard import OptionalTensorboardVisBackend

__all__ = [
    'AtomicBackend', 'NonFiniteError', 'OptionalTensorboardVisBackend',
    'check_finite_losses', 'config_path'
]
