from mmpretrain.registry import MODELS
from .base import Encoder, probe_side
from .maps import MapEncoder
from .outputs import cell_maps, named_outputs, output_shapes
from .plain import PlainEncoder, is_plain
from .semantic import semantic_encoder
from .timm_vit import TimmEncoder
from .token_blocks import TokenBlocks

__all__ = [
    'Encoder', 'MapEncoder', 'PlainEncoder', 'TimmEncoder', 'TokenBlocks',
    'cell_maps', 'is_plain', 'named_outputs', 'output_shapes',
    'person_encoder', 'probe_side', 'semantic_encoder'
]


@MODELS.register_module(name='PersonEncoder')
def person_encoder(backbone: dict, patch_index: int = 6, **kwargs) -> Encoder:
    """The encoder that fits a backbone, so that configs change it alone.

    Args:
        backbone (dict): Config of a backbone in mmpretrain's registry.
        patch_index (int): As in :class:`PlainEncoder`; a hierarchical
            backbone has no use for it. Defaults to 6.
        **kwargs: Of :class:`PlainEncoder` for a ``GridVisionTransformer``, of
            :class:`MapEncoder` for any other.
    """
    if is_plain(backbone):
        return PlainEncoder(backbone, patch_index, **kwargs)
    return MapEncoder(backbone, **kwargs)
