from ..weights import AtomicBackend
from .finite import NonFiniteError, check_finite_losses
from .hooks import *  # noqa: F401, F403
from .layer_decay import BackboneLayerDecayOptimWrapperConstructor
from .optim_constructor import DecayGroupsOptimWrapperConstructor
from .optim_wrapper import (TensorClipAmpOptimWrapper,
                            TensorClipCpuAmpOptimWrapper,
                            TensorClipOptimWrapper)
from .tensorboard import OptionalTensorboardVisBackend

__all__ = [
    'AtomicBackend', 'BackboneLayerDecayOptimWrapperConstructor',
    'DecayGroupsOptimWrapperConstructor', 'NonFiniteError',
    'OptionalTensorboardVisBackend', 'TensorClipAmpOptimWrapper',
    'TensorClipCpuAmpOptimWrapper', 'TensorClipOptimWrapper',
    'check_finite_losses'
]
