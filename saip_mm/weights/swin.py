"""SOLIDER's Swin under mmpretrain's names, which are its own."""
import re
from collections import OrderedDict
from typing import Dict, Tuple

from torch import Tensor

from .converted import SWIN, Converted, Hints, compare
from .key_maps import BESIDE
from .stage_nets import Shapes

SWINS = {
    'tiny': (96, (2, 2, 6, 2), (3, 6, 12, 24)),
    'small': (96, (2, 2, 18, 2), (3, 6, 12, 24)),
    'base': (128, (2, 2, 18, 2), (4, 8, 16, 32)),
}
WINDOW = 7


def swin_shapes(embed_dims: int, depths: Tuple[int, ...],
                num_heads: Tuple[int, ...]) -> Shapes:
    """Tensors of mmpretrain's ``SwinTransformer`` with all four maps."""
    found: Shapes = OrderedDict()

    def affine(name: str, *shape: int) -> None:
        found[f'{name}.weight'], found[f'{name}.bias'] = shape, shape[:1]

    affine('patch_embed.projection', embed_dims, 3, 4, 4)
    affine('patch_embed.norm', embed_dims)
    cells = WINDOW**2
    for stage, (depth, heads) in enumerate(zip(depths, num_heads)):
        width = embed_dims * 2**stage
        for block in range(depth):
            start = f'stages.{stage}.blocks.{block}'
            affine(f'{start}.norm1', width)
            attention = f'{start}.attn.w_msa'
            found[f'{attention}.relative_position_bias_table'] = ((2 * WINDOW -
                                                                   1)**2,
                                                                  heads)
            found[f'{attention}.relative_position_index'] = (cells, cells)
            affine(f'{attention}.qkv', 3 * width, width)
            affine(f'{attention}.proj', width, width)
            affine(f'{start}.norm2', width)
            affine(f'{start}.ffn.layers.0.0', 4 * width, width)
            affine(f'{start}.ffn.layers.1', width, 4 * width)
        if stage < len(depths) - 1:
            affine(f'stages.{stage}.downsample.norm', 4 * width)
            found[f'stages.{stage}.downsample.reduction.weight'] = (2 * width,
                                                                    4 * width)
        affine(f'norm{stage}', width)
    return found


def convert_swin(weights: Dict[str, Tensor], hints: Hints) -> Converted:
    """Take SOLIDER's Swin as mmpretrain's.

    Names are the same. Its controllers (``semantic_embed_*``) are left out:
    the maps are those of the controllers switched off.

    Args:
        weights (dict[str, Tensor]): Without prefix.
        hints (Hints): What else is known.

    Returns:
        Converted: For ``mmpretrain.SwinTransformer``.

    Raises:
        ValueError: Names what is missing, left over or has another shape.
    """
    width = weights.get('patch_embed.norm.weight')
    blocks = {
        k.split('.')[3]
        for k in weights if re.match(r'stages\.2\.blocks\.\d+\.', k)
    }
    arch = 'base' if width is not None and len(width) == 128 else \
        'small' if len(blocks) > 6 else 'tiny'
    beside = [k for k in weights if BESIDE.match(k)]
    taken = OrderedDict((k, v) for k, v in weights.items() if k not in beside)
    shapes = swin_shapes(*SWINS[arch])
    compare(taken, shapes, {k: k for k in shapes}, hints.layout)
    model = dict(
        type=SWIN, arch=arch, out_indices=(0, 1, 2, 3), pad_small_map=True)
    return Converted(taken, model, hints.layout, None, None, beside)
