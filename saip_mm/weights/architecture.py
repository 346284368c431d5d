"""Which backbone a set of tensors is, as a config."""
from typing import Dict, Optional

from torch import Tensor

from .key_maps import vit_depth, vit_shapes
from .position_grid import Grid
from .stage_nets import (Shapes, batch_norm, expected_shapes, family_arguments,
                         family_of, own_name, shapes_of, timm_name)

VIT, MAPS = 'mmpretrain.GridVisionTransformer', 'mmpretrain.StrideMapBackbone'
# mmpretrain's names: width, blocks, heads, width of the feed-forward layers
VITS = {
    'deit-tiny': (192, 12, 3, 768),
    'deit-small': (384, 12, 6, 1536),
    'base': (768, 12, 12, 3072),
    'large': (1024, 24, 16, 4096),
}
HEAD = 64  # channels of a head, in all models of VITS


def is_vit(weights: Dict[str, Tensor]) -> bool:
    """Whether names are those of ``GridVisionTransformer``."""
    return any(
        key.startswith('layers.') and '.ffn.layers.' in key for key in weights)


def is_maps(weights: Dict[str, Tensor]) -> bool:
    """Whether names are those of ``StrideMapBackbone``."""
    return any(key.startswith('timm_model.') for key in weights)


def vit_config(weights: Dict[str, Tensor],
               grid: Grid,
               options: Optional[dict] = None) -> dict:
    """Config of a plain transformer that takes such weights.

    Args:
        weights (dict[str, Tensor]): By mmpretrain's names, complete.
        grid (tuple[int, int]): Rows and columns of its positions.
        options (dict, optional): ``num_heads``, ``last_block_heads``, which
            no tensor shows. Defaults to None: 64 channels a head.

    Returns:
        dict: Arguments; ``img_size`` is the one of its positions.

    Raises:
        ValueError: If the heads cannot be told.

    Example:
        >>> import torch
        >>> weights = {'pos_embed': torch.ones(1, 129, 192),
        ...     'cls_token': torch.ones(1, 1, 192),
        ...     'patch_embed.projection.weight': torch.ones(192, 3, 16, 16),
        ...     'layers.11.attn.qkv.bias': torch.ones(576),
        ...     'layers.0.ffn.layers.0.0.weight': torch.ones(768, 192)}
        >>> vit_config(weights, (16, 8))
        {'type': 'mmpretrain.GridVisionTransformer', 'arch': 'deit-tiny', \
'img_size': (256, 128), 'patch_size': 16, 'out_type': 'featmap'}
    """
    options = options or {}
    width = weights['pos_embed'].shape[-1]
    heads = options.get('num_heads')
    if heads is None:
        if width % HEAD:
            raise ValueError(
                f'a transformer {width} wide may have any number of heads '
                'that divides it, and no tensor shows it: say num_heads '
                '(saip-mm convert --num-heads)')
        heads = width // HEAD
    settings = (width, vit_depth(weights), heads,
                len(weights['layers.0.ffn.layers.0.0.weight']))
    arch = next((k for k, v in VITS.items() if v == settings),
                dict(
                    zip(('embed_dims', 'num_layers', 'num_heads',
                         'feedforward_channels'), settings)))
    patch = weights['patch_embed.projection.weight'].shape[-1]
    config = dict(
        type=VIT,
        arch=arch,
        img_size=(grid[0] * patch, grid[1] * patch),
        patch_size=patch,
        out_type='featmap')
    last = options.get('last_block_heads') or heads
    if last != heads:
        config['last_block_heads'] = last
    if 'cls_token' not in weights:
        config['with_cls_token'] = False
    if not any(key.endswith('attn.qkv.bias') for key in weights):
        config['qkv_bias'] = False
    return config


def maps_config(weights: Dict[str, Tensor], options: dict) -> dict:
    """Config of a hierarchical backbone that takes such weights.

    Args:
        weights (dict[str, Tensor]): By ``StrideMapBackbone``'s names.
        options (dict): What no tensor shows: ``model_name``,
            ``last_stride``, ``neck_stride``, ``mask_padding``.

    Returns:
        dict: Arguments that are not the class's defaults.

    Raises:
        ValueError: If it is neither said nor seen which of timm's models.
    """
    inside = {
        timm_name(key): shape
        for key, shape in shapes_of(weights).items() if timm_name(key)
    }
    family = _family(options.get('model_name'), inside)
    if family is None and 'model_name' not in options:
        raise ValueError("no StarNet and no TinyViT, and nothing says which "
                         "of timm's models it is: say model_name")
    config = dict(type=MAPS, model_name=options.get('model_name'))
    if family is not None:
        told = family_arguments(family, inside)
        config.update(told or dict(model_name=options['model_name']))
    for key, usual in (('last_stride', 2), ('neck_stride', 1), ('mask_padding',
                                                                False)):
        if options.get(key, usual) != usual:
            config[key] = options[key]
    if 'neck.0.weight' in weights:
        config['neck_channels'] = len(weights['neck.0.weight'])
    if any(key.startswith('last_norm.') for key in weights):
        config['last_norm'] = True
    return config


def _family(model_name: Optional[str], shapes: Shapes) -> Optional[str]:
    if model_name is not None:
        return family_of(model_name)
    if any(key.startswith('stem.0.') for key in shapes):
        return 'starnet'
    if any('.downsample.conv3.' in key for key in shapes):
        return 'tiny_vit'
    return None


def own_shapes(config: dict, weights: Dict[str, Tensor]) -> Optional[Shapes]:
    """What a backbone of this config holds, by its own names.

    Args:
        config (dict): Of :func:`vit_config` or :func:`maps_config`.
        weights (dict[str, Tensor]): Of a plain transformer, its tensors.

    Returns:
        dict, optional: Shapes by name; None of a model of timm's other than
        StarNet and TinyViT.
    """
    if config['type'] == VIT:
        shapes = vit_shapes(weights)
        if config.get('qkv_bias') is False:
            shapes = {k: v for k, v in shapes.items() if 'qkv.bias' not in k}
        return shapes
    family = family_of(config['model_name'])
    if family is None:
        return None
    changes = {
        key: value
        for key, value in config.items()
        if key in ('base_dim', 'depths', 'mlp_ratio', 'embed_dims',
                   'num_heads', 'window_sizes')
    }
    inside = expected_shapes(family, config['model_name'], **changes)
    shapes = {own_name(key): shape for key, shape in inside.items()}
    width = last_width(inside)
    if config.get('last_norm'):
        shapes.update(batch_norm('last_norm', width))
    if config.get('neck_channels'):
        shapes.update(neck_shapes(width, config['neck_channels']))
    return shapes


def last_width(shapes: Shapes) -> int:
    """Channels of the last map."""
    ends = ('.dwconv2.conv.bias', '.local_conv.bn.bias')
    return [v[0] for k, v in shapes.items() if k.endswith(ends)][-1]


def neck_shapes(width: int, channels: int) -> Shapes:
    """A neck's tensors, the authors' and ours alike."""
    return {
        'neck.0.weight': (channels, width, 1, 1),
        'neck.1.weight': (channels, ),
        'neck.1.bias': (channels, ),
        'neck.2.weight': (channels, channels, 3, 3),
        'neck.3.weight': (channels, ),
        'neck.3.bias': (channels, )
    }
