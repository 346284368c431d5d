from .stride_maps import StrideMapBackbone
from .vit import GridVisionTransformer

__all__ = ['GridVisionTransformer', 'StrideMapBackbone']
