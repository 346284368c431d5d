from .alignment import AlignmentHead
from .cross_scale_matching import CrossScaleMatchingHead
from .cross_scale_reconstruction import CrossScaleReconstructionHead
from .cross_scale_search import CrossScaleSearchHead
from .dino import DINOHead
from .hap import HAPHead
from .instance_matching import InstanceMatchingHead
from .masked_reconstruction import MaskedReconstructionHead
from .solider import SOLIDERHead

__all__ = [
    'AlignmentHead', 'CrossScaleMatchingHead', 'CrossScaleReconstructionHead',
    'CrossScaleSearchHead', 'DINOHead', 'HAPHead', 'InstanceMatchingHead',
    'MaskedReconstructionHead', 'SOLIDERHead'
]
