"""Names of plain transformers elsewhere, and here."""
import re
from collections import OrderedDict
from typing import Dict, List, NamedTuple, Optional

import torch
from torch import Tensor

from .check import LISTED
from .position_grid import Grid, check_orientation, table_layout
from .read import weights_of
from .semantic import AFFINE

# (pattern, name in mmpretrain), the first that matches
VIT_KEYS = (
    (r'(cls_token|pos_embed)', r'\1'),
    (r'patch_embed\.proj\.(weight|bias)', r'patch_embed.projection.\1'),
    (r'blocks\.(\d+)\.norm([12])\.(weight|bias)', r'layers.\1.ln\2.\3'),
    (r'blocks\.(\d+)\.attn\.(qkv|proj)\.(weight|bias)',
     r'layers.\1.attn.\2.\3'),
    (r'blocks\.(\d+)\.mlp\.fc1\.(weight|bias)',
     r'layers.\1.ffn.layers.0.0.\2'),
    (r'blocks\.(\d+)\.mlp\.fc2\.(weight|bias)', r'layers.\1.ffn.layers.1.\2'),
    (r'norm\.(weight|bias)', r'ln1.\1'),
)
# the way back
OWN_KEYS = (
    (r'patch_embed\.projection\.(weight|bias)', r'patch_embed.proj.\1'),
    (r'layers\.(\d+)\.ln([12])\.(weight|bias)', r'blocks.\1.norm\2.\3'),
    (r'layers\.(\d+)\.attn\.(qkv|proj)\.(weight|bias)',
     r'blocks.\1.attn.\2.\3'),
    (r'layers\.(\d+)\.ffn\.layers\.0\.0\.(weight|bias)',
     r'blocks.\1.mlp.fc1.\2'),
    (r'layers\.(\d+)\.ffn\.layers\.1\.(weight|bias)', r'blocks.\1.mlp.fc2.\2'),
    (r'ln1\.(weight|bias)', r'norm.\1'),
)
# what tells a plain transformer's weights from those around them
ANCHOR = 'patch_embed.proj.weight'
# tokens that VisionTransformer does not have, with or without positions
EXTRA_TOKENS = re.compile(r'(reg|register|registers|dist|storage)_tokens?$')
# PATH keeps its class token's position apart
CLASS_POSITION = 'cls_token_pos_embed'
# beside a backbone in flat files: classifiers, projectors, what reconstructs,
# SAIP's norm of inner tokens, SOLIDER's controllers
BESIDE = re.compile(
    r'(heads?|head_dist|\w+_head|fc|fc_norm|pre_logits|classifier|bottleneck|'
    r'mask_token|inter_norm|(\w+_)?decoder(_\w+)?|semantic_embed_[wb])(\.|$)')


class ConvertedViT(NamedTuple):
    """A plain transformer under mmpretrain's names.

    Attributes:
        backbone (dict[str, Tensor]): State dict of ``VisionTransformer``.
        grid (tuple[int, int]): Rows and columns of its position table.
        ignored (list[str]): Keys of the source that are no part of it:
            SAIP's norm on the inner patch tokens (``inter_norm``; a
            ``PersonEncoder`` has its own, learnt with its heads), heads,
            decoders, SOLIDER's controllers.
    """
    backbone: Dict[str, Tensor]
    grid: Grid
    ignored: List[str]


def convert_vit_keys(weights: Dict[str, Tensor],
                     grid: Optional[Grid] = None) -> ConvertedViT:
    """Rename a plain transformer's weights to mmpretrain's names.

    Args:
        weights (dict[str, Tensor]): In the grammar that DINO, MAE, DeiT,
            SOLIDER's ViT, timm and SAIP's release share (``blocks.0.attn.qkv``
            ...), with or without something in front: ``module.backbone.``,
            ``image_encoder.``, ``base.`` ...
        grid (tuple[int, int], optional): Rows and columns of the position
            table. Defaults to None: the only upright grid that fits.

    Returns:
        ConvertedViT: The parts; no tensor is copied or changed.

    Raises:
        ValueError: If a key of the backbone is unknown or missing, a shape
            is wrong, or the grid cannot be told.
    """
    weights = weights_of(weights)
    prefix = _prefix_of(weights)
    weights = _join_class_position(weights, prefix)
    outside = [key for key in weights if not key.startswith(prefix)]
    backbone, ignored = OrderedDict(), []
    for source, value in weights.items():
        if not source.startswith(prefix):
            continue
        key = source[len(prefix):]
        if EXTRA_TOKENS.match(key):
            raise ValueError(
                f"'{source}' are tokens that mmpretrain's VisionTransformer "
                'does not have: without them it would give other features')
        name = _rename(key)
        if name is not None:
            backbone[name] = value
        elif BESIDE.match(key):
            ignored.append(source)
        else:
            raise ValueError(f"'{source}' has no counterpart in mmpretrain's "
                             'VisionTransformer: this is another architecture')
    check_vit_shapes(backbone)
    length = backbone['pos_embed'].shape[1]
    told, slots = table_layout(length, 'cls_token' in backbone, grid)
    if grid is None:
        check_orientation(backbone['pos_embed'], told, slots, 'pos_embed')
    return ConvertedViT(backbone, told, ignored + outside)


def _join_class_position(weights: Dict[str, Tensor],
                         prefix: str) -> Dict[str, Tensor]:
    """The class token's position in front of the others, as elsewhere."""
    own, table = prefix + CLASS_POSITION, prefix + 'pos_embed'
    if own not in weights or table not in weights:
        return weights
    joined = OrderedDict(weights)
    joined[table] = torch.cat((joined.pop(own), joined[table]), 1)
    return joined


def _prefix_of(weights: Dict[str, Tensor]) -> str:
    """What stands in front of the one plain transformer's names."""
    found = [k[:-len(ANCHOR)] for k in weights if k.endswith(ANCHOR)]
    if len(found) > 1:
        raise ValueError(
            f'the file holds {len(found)} transformers, under '
            f'{", ".join(repr(prefix) for prefix in found[:LISTED])}: save '
            'the one that is wanted to a file of its own')
    if not found:
        raise ValueError(
            f"no '{ANCHOR}' among the weights, which are like "
            f'{list(weights)[:LISTED]}: this is no plain vision transformer')
    return found[0]


def _rename(key: str) -> Optional[str]:
    for pattern, name in VIT_KEYS:
        match = re.fullmatch(pattern, key)
        if match:
            return match.expand(name)
    return None


def check_vit_shapes(weights: Dict[str, Tensor]) -> None:
    """Compare with the tensors that width, depth and FFN width imply.

    Args:
        weights (dict[str, Tensor]): By mmpretrain's names.

    Raises:
        ValueError: Names the first that is missing or has another shape.
    """
    for key in ('pos_embed', 'patch_embed.projection.weight',
                'layers.0.ffn.layers.0.0.weight'):
        if key not in weights:
            raise ValueError(
                f"no {key} among the weights ('{foreign_name(key)}' "
                'elsewhere): this is no plain vision transformer')
    for key, shape in vit_shapes(weights).items():
        if key not in weights and not key.endswith('qkv.bias'):
            raise ValueError(
                f'{key} is missing: the file is incomplete (it is called '
                f"'{foreign_name(key)}' elsewhere)")
        if key in weights and tuple(weights[key].shape) != shape:
            raise ValueError(f'{key} has shape {tuple(weights[key].shape)}, '
                             f'expected {shape} beside the other weights')


def vit_shapes(weights: Dict[str, Tensor]) -> Dict[str, tuple]:
    """Shapes of all tensors of a transformer like this, by name."""
    width = weights['pos_embed'].shape[-1]
    hidden = len(weights['layers.0.ffn.layers.0.0.weight'])
    shapes = {
        'pos_embed': (1, weights['pos_embed'].shape[1], width),
        'patch_embed.projection.weight':
        (width, *weights['patch_embed.projection.weight'].shape[1:]),
        'patch_embed.projection.bias': (width, ),
        'ln1.weight': (width, ),
        'ln1.bias': (width, )
    }
    if 'cls_token' in weights:
        shapes['cls_token'] = (1, 1, width)
    block = dict([('attn.qkv', (3 * width, width)),
                  ('attn.proj', (width, width)), ('ln1', (width, )),
                  ('ln2', (width, )), ('ffn.layers.0.0', (hidden, width)),
                  ('ffn.layers.1', (width, hidden))])
    for i in range(vit_depth(weights)):
        for name, shape in block.items():
            shapes[f'layers.{i}.{name}.weight'] = shape
            shapes[f'layers.{i}.{name}.bias'] = shape[:1]
    shapes.update((key, (width, )) for key in weights if AFFINE.fullmatch(key))
    return shapes


def vit_depth(weights: Dict[str, Tensor]) -> int:
    """Blocks of a transformer, by the highest number among its names."""
    return 1 + max(
        int(key.split('.')[1]) for key in weights if key.startswith('layers.'))


def foreign_name(key: str) -> str:
    """mmpretrain's name of a plain transformer's tensor to timm's.

    Example:
        >>> foreign_name('layers.3.ffn.layers.0.0.bias')
        'blocks.3.mlp.fc1.bias'
        >>> foreign_name('ln1.weight'), foreign_name('cls_token')
        ('norm.weight', 'cls_token')
    """
    for pattern, name in OWN_KEYS:
        match = re.fullmatch(pattern, key)
        if match:
            return match.expand(name)
    return key
