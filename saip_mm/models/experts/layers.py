"""Which layer of a plain transformer an expert's tokens come from."""
from typing import Dict, Optional, Tuple

from torch import Tensor

from ..backbones import GridVisionTransformer

PARTS = ('embed_dims', 'num_layers', 'num_heads', 'feedforward_channels')


def cut_transformer(backbone: dict, out_index: int,
                    final_norm: Optional[bool]) -> dict:
    """Config of a transformer that ends with a block.

    Args:
        backbone (dict): Of a ``GridVisionTransformer``.
        out_index (int): Its last block; negative counts from the end.
        final_norm (bool, optional): Whether its last norm follows. Defaults
            to None: behind the model's last block alone, for which it was
            trained.

    Returns:
        dict: With so many blocks less.

    Raises:
        ValueError: If there is no such block.
    """
    arch = backbone.get('arch', 'base')
    if isinstance(arch, str):
        arch = GridVisionTransformer.arch_zoo[arch.lower()]
    depth = arch['num_layers']
    if not -depth <= out_index < depth:
        raise ValueError(f'out_index {out_index} is outside the {depth} '
                         'blocks of the expert')
    kept = out_index % depth + 1
    cut = dict(backbone)
    if kept < depth:
        cut['arch'] = {**{k: arch[k] for k in PARTS}, 'num_layers': kept}
        cut.pop('last_block_heads', None)
    if final_norm is None:
        final_norm = kept == depth
    if not final_norm:
        cut['final_norm'] = False
    return cut


def cut_weights(weights: Dict[str, Tensor], backbone: dict,
                whole: dict) -> Tuple[Dict[str, Tensor], list]:
    """Leave out what such a transformer does not have.

    Args:
        weights (dict[str, Tensor]): Of the whole one.
        backbone (dict): Of :func:`cut_transformer`.
        whole (dict): What that was given.

    Returns:
        tuple: Weights, and names left out.
    """
    left = []
    if backbone.get('arch') != whole.get('arch'):
        kept = backbone['arch']['num_layers']
        left += [
            k for k in weights
            if k.startswith('layers.') and int(k.split('.')[1]) >= kept
        ]
    if not backbone.get('final_norm', True):
        left += [k for k in weights if k.startswith('ln1.')]
    return {k: v for k, v in weights.items() if k not in set(left)}, left
