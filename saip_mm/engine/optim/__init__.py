from .decay_groups import DecayGroupsOptimWrapperConstructor
from .layer_decay import BackboneLayerDecayOptimWrapperConstructor
from .tensor_clip import (TensorClipAmpOptimWrapper,
                          TensorClipCpuAmpOptimWrapper, TensorClipOptimWrapper)

__all__ = [
    'BackboneLayerDecayOptimWrapperConstructor',
    'DecayGroupsOptimWrapperConstructor', 'TensorClipAmpOptimWrapper',
    'TensorClipCpuAmpOptimWrapper', 'TensorClipOptimWrapper'
]
