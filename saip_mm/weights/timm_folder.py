"""A published backbone as a folder that timm opens without a network.

    timm.create_model('local-dir:FOLDER', pretrained=True)
"""
import json
import os
import os.path as osp
import shutil
from collections import OrderedDict
from typing import Dict, Tuple

import torch
from torch import Tensor

from .architecture import MAPS, VIT, last_width
from .atomic import partial_path, remove_leftovers, write_file
from .converted import Converted
from .key_maps import foreign_name
from .safetensors_file import safetensors_bytes
from .semantic import AFFINE
from .stage_nets import expected_shapes, family_of, timm_name

# timm's plain transformers by patch: any width by their arguments
TIMM_VITS = {16: 'vit_tiny_patch16_224', 8: 'vit_small_patch8_224'}
EPSILON = 1e-5  # of timm's BatchNorm


class NoTimmModelError(ValueError):
    """timm has no model that computes what a backbone does."""


def write_timm_folder(found: Converted, folder: str) -> None:
    """Write ``config.json`` and ``model.safetensors``, both or none.

    Features equal this project's: a plain transformer's tokens, and the maps
    of ``features_only=True``. Where the backbone ends at stride 16, timm's
    last map is coarser until its last step has stride 1.

    Args:
        found (Converted): The backbone.
        folder (str): Made; one of that name is replaced.

    Raises:
        NoTimmModelError: If it has what timm's model does not: a neck, other
            heads in the last block, windows without padding.
        OSError: If it cannot be written; nothing of it is there then.
    """
    config, weights = timm_model(found)
    note = found.checkpoint()['meta']
    content = safetensors_bytes(dict(meta=note, state_dict=weights))
    partial = partial_path(folder)
    remove_leftovers(*osp.split(osp.abspath(folder)))
    try:
        os.makedirs(partial)
        write_file(osp.join(partial, 'model.safetensors'), content)
        write_file(
            osp.join(partial, 'config.json'),
            json.dumps(config, indent=2).encode() + b'\n')
        if osp.isdir(folder):
            shutil.rmtree(folder)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def timm_model(found: Converted) -> Tuple[dict, Dict[str, Tensor]]:
    """timm's ``config.json`` and weights of a backbone.

    Args:
        found (Converted): The backbone.

    Returns:
        tuple[dict, dict[str, Tensor]]: Both complete: timm loads strictly.

    Raises:
        NoTimmModelError: As in :func:`write_timm_folder`.
    """
    model = found.model
    if model['type'] == VIT:
        name, arguments = _vit_arguments(found)
        weights = OrderedDict(
            (foreign_name(k), v) for k, v in found.weights.items())
        width = weights['pos_embed'].shape[-1]
        size = list(model['img_size'])
    elif model['type'] == MAPS and family_of(model['model_name']):
        name, arguments = model['model_name'], _stage_arguments(model)
        weights, width = _stage_weights(found)
        size = list(found.meta.get('input', {}).get('size', [256, 128]))
    else:
        raise NoTimmModelError(
            f'{model["type"]} of {model.get("model_name", model.get("arch"))} '
            'is not written for timm: leave out --timm')
    statistics = found.meta.get('input', {})
    pretrained = dict(
        input_size=[3, *size],
        fixed_input_size=model['type'] == VIT,
        num_classes=0,
        interpolation='bicubic',
        crop_pct=1.0,
        **{
            # timm's are of pixels from 0 to 1
            key: [round(value / 255, 6) for value in statistics[key]]
            for key in ('mean', 'std') if key in statistics
        })
    return dict(
        architecture=name,
        num_classes=0,
        num_features=width,
        pretrained_cfg=pretrained,
        model_args=dict(arguments, num_classes=0)), weights


def _vit_arguments(found: Converted) -> Tuple[str, dict]:
    model, weights = found.model, found.weights
    heads = found.options['num_heads']
    if any(map(AFFINE.fullmatch, weights)):
        raise NoTimmModelError(
            "SOLIDER's gains and shifts behind blocks of a plain transformer "
            'have no counterpart in timm: leave out --timm')
    if found.options['last_block_heads'] != heads:
        raise NoTimmModelError(
            f'{found.options["last_block_heads"]} heads in the last block '
            f'beside {heads}: timm has no such transformer, leave out --timm')
    patch = model['patch_size']
    if patch not in TIMM_VITS:
        raise NoTimmModelError(f'patches of {patch} pixels are not written '
                               'for timm: leave out --timm')
    slots = weights['pos_embed'].shape[1] - found.grid[0] * found.grid[1]
    token = 'cls_token' in weights
    if slots != int(token):
        raise NoTimmModelError('a class token without a position is not '
                               'written for timm: leave out --timm')
    width, hidden = weights['layers.0.ffn.layers.0.0.weight'].shape[::-1]
    depth = sum(k.endswith('.ln2.weight') for k in weights)
    return TIMM_VITS[patch], dict(
        img_size=list(model['img_size']),
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        mlp_ratio=hidden / width,
        qkv_bias=model.get('qkv_bias', True),
        class_token=token,
        global_pool='token' if token else 'avg',
        fc_norm=False)


def _stage_arguments(model: dict) -> dict:
    for key in ('neck_channels', 'mask_padding'):
        if model.get(key):
            raise NoTimmModelError(f'{key}={model[key]} has no counterpart in '
                                   'timm: leave out --timm')
    kept = ('base_dim', 'depths', 'mlp_ratio', 'embed_dims', 'num_heads',
            'window_sizes')
    return {
        k: list(v) if isinstance(v, tuple) else v
        for k, v in model.items() if k in kept
    }


def _stage_weights(found: Converted) -> Tuple[Dict[str, Tensor], int]:
    """By timm's names, and its norm before the classifier.

    A StarNet without one gets a BatchNorm that gives back what it gets, to
    the last bit.
    """
    model = found.model
    weights = OrderedDict((timm_name(k), v) for k, v in found.weights.items()
                          if timm_name(k) is not None)
    changes = {
        k: v
        for k, v in _stage_arguments(model).items() if k != 'model_name'
    }
    family = family_of(model['model_name'])
    width = last_width(expected_shapes(family, model['model_name'], **changes))
    if family == 'tiny_vit':
        weights['head.norm.weight'] = torch.ones(width)
        weights['head.norm.bias'] = torch.zeros(width)
        return weights, width
    for part, value in (('weight', 1.), ('bias', 0.), ('running_mean', 0.),
                        ('running_var', 1. - EPSILON)):
        weights[f'norm.{part}'] = found.weights.get(
            f'last_norm.{part}', torch.full((width, ), value))
    weights['norm.num_batches_tracked'] = torch.tensor(0)
    return weights, width
