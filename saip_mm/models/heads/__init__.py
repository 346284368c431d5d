from .alignment import AlignmentHead
from .cross_scale_matching import CrossScaleMatchingHead
from .cross_scale_reconstruction import CrossScaleReconstructionHead
from .cross_scale_search import CrossScaleSearchHead
from .dino import DINOHead
from .instance_matching import InstanceMatchingHead
from .masked_reconstruction import MaskedReconstructionHead

__all__ = [
    'AlignmentHead', 'CrossScaleMatchingHead', 'CrossScaleReconstructionHead',
    'CrossScaleSearchHead', 'DINOHead', 'InstanceMatchingHead',
    'MaskedReconstructionHead'
]
