"""Files that others publish, under our backbones' names.

The three of the zoo: DeiT-Tiny, StarNet-S3 and TinyViT-5M, each as its
authors publish it and as timm does.
"""
import re
from collections import OrderedDict
from typing import Dict, Tuple

import timm
import torch
from torch import Tensor

from .check import LISTED
from .key_maps import convert_vit_keys, select_branch

# what a backbone does not have: classes, and the norm in front of them
CLASSIFIER = {
    'vit_tiny': r'head\.(weight|bias)',
    'starnet_s3': r'(head|norm)\..+',
    'tinyvit_5m': r'(head|norm_head)\..+'
}
TIMM_NAMES = dict(starnet_s3='starnet_s3', tinyvit_5m='tiny_vit_5m_224')
# (pattern, what timm has in its place), all that match, one after the other
TIMM_KEYS = {
    'starnet_s3': (),
    # of Microsoft's files; timm counts what leads to a stage as its part
    'tinyvit_5m': (
        (r'^patch_embed\.seq\.0\.', 'patch_embed.conv1.'),
        (r'^patch_embed\.seq\.2\.', 'patch_embed.conv2.'),
        (r'^layers\.0\.downsample\.', 'stages.1.downsample.'),
        (r'^layers\.1\.downsample\.', 'stages.2.downsample.'),
        (r'^layers\.2\.downsample\.', 'stages.3.downsample.'),
        (r'^layers\.', 'stages.'),
        (r'\.c\.', '.conv.'),
    )
}
# tables that a model computes itself
COMPUTED = re.compile(r'attention_bias_idxs$')
# ImageNet's, in 0-255, with which all of them were trained
INPUT = dict(
    channels='RGB',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375])


def convert_third_party(checkpoint: dict, backbone: str, source: str) -> dict:
    """Turn a published ImageNet classifier into a backbone of ours.

    Args:
        checkpoint (dict): As the file has it.
        backbone (str): ``'vit_tiny'``, ``'starnet_s3'`` or ``'tinyvit_5m'``.
        source (str): What to call the file in errors.

    Returns:
        dict: ``state_dict`` without prefix, for the backbones of
        ``configs/_base_/backbones``, and ``meta`` as
        :func:`~.publish.publish_backbone` writes it; no tensor is copied.

    Raises:
        ValueError: If the backbone is unknown, or keys or shapes are not
            exactly its; names them.
    """
    if backbone not in CLASSIFIER:
        raise ValueError(f"backbone '{backbone}' is unknown: use one of "
                         f'{", ".join(CLASSIFIER)}')
    try:
        weights = select_branch(checkpoint)
        weights = OrderedDict((key, value) for key, value in weights.items()
                              if not COMPUTED.search(key)
                              and not re.fullmatch(CLASSIFIER[backbone], key))
        if backbone == 'vit_tiny':
            weights, meta = _vit(weights)
        else:
            weights, meta = _maps(weights, backbone)
    except ValueError as error:
        raise ValueError(f'{source} is no {backbone}: {error}') from error
    return dict(state_dict=weights, meta=dict(meta, input=dict(INPUT)))


def _vit(weights: Dict[str, Tensor]) -> Tuple[dict, dict]:
    converted = convert_vit_keys(weights)
    if converted.ignored:
        raise ValueError(_named('unexpected', converted.ignored))
    shape = tuple(converted.backbone['cls_token'].shape)
    depth = sum(k.endswith('attn.qkv.weight') for k in converted.backbone)
    if shape != (1, 1, 192) or depth != 12:
        raise ValueError(f'it is {shape[-1]} wide and has {depth} blocks, '
                         'not 192 and 12')
    return converted.backbone, dict(
        position_grid=list(converted.grid), backbone=dict(num_heads=3))


def _maps(weights: Dict[str, Tensor], backbone: str) -> Tuple[dict, dict]:
    """timm's names of a whole model -> those of its ``features_only`` one,
    which are flat: ``stages.0.1.`` is ``stages_0.1.``."""
    found = OrderedDict()
    for key, value in weights.items():
        for pattern, name in TIMM_KEYS[backbone]:
            key = re.sub(pattern, name, key)
        key = re.sub(r'^(stem|stages)\.(\d+)\.', r'\1_\2.', key)
        found[f'timm_model.{key}'] = value
    model = TIMM_NAMES[backbone]
    _compare(found, _shapes(model))
    return found, dict(backbone=dict(model_name=model, last_stride=2))


def _shapes(model: str) -> Dict[str, tuple]:
    with torch.device('meta'):
        built = timm.create_model(model, features_only=True)
    return {
        f'timm_model.{key}': tuple(value.shape)
        for key, value in built.state_dict().items()
    }


def _compare(found: Dict[str, Tensor], wanted: Dict[str, tuple]) -> None:
    missing = [
        key for key in wanted
        if key not in found and not key.endswith('num_batches_tracked')
    ]
    problems = [
        _named('missing', missing),
        _named('unexpected', [key for key in found if key not in wanted]),
        _named('of another shape', [
            f'{key} {tuple(value.shape)} for {wanted[key]}'
            for key, value in found.items()
            if key in wanted and tuple(value.shape) != wanted[key]
        ])
    ]
    if any(problems):
        raise ValueError('; '.join(filter(None, problems)))


def _named(kind: str, keys: list) -> str:
    more = f' and {len(keys) - LISTED} more' if len(keys) > LISTED else ''
    return keys and f'{kind}: {", ".join(keys[:LISTED])}{more}'
