from .vit import GridVisionTransformer

__all__ = ['GridVisionTransformer']
