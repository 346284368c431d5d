from .cross_scale_matching import CrossScaleMatchingHead
from .cross_scale_reconstruction import CrossScaleReconstructionHead
from .cross_scale_search import CrossScaleSearchHead
from .instance_matching import InstanceMatchingHead

__all__ = [
    'CrossScaleMatchingHead', 'CrossScaleReconstructionHead',
    'CrossScaleSearchHead', 'InstanceMatchingHead'
]
