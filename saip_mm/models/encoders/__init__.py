from mmpretrain.registry import MODELS
from ..backbones import GridVisionTransformer
from .base import Encoder, probe_side
from .maps import MapEncoder
from .outputs import cell_maps, named_outputs, output_shapes
from .plain import PlainEncoder
from .semantic import semantic_encoder
from .timm_vit import TimmEncoder
from .token_blocks import TokenBlocks

__all__ = [
    'Encoder', 'GridVisionTransformer', 'MODELS', 'MapEncoder', 'PlainEncoder',
    'TimmEncoder', 'TokenBlocks', 'cell_maps', 'named_outputs',
    'output_shapes', 'probe_side', 'semantic_encoder'
]
