"""An encoder ready to be used, from whatever the user has of it."""
import os.path as osp
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..models.backbones import GridVisionTransformer
from ..models.encoders import Encoder, MapEncoder, PlainEncoder
from ..models.preprocessors.person_views import IMAGENET_MEAN, IMAGENET_STD
from ..weights import (BACKBONES, backbone_options, extract_backbone,
                       load_weights, meta_of, peek_checkpoint, table_layout,
                       weights_of)
from ..weights.check import LISTED
from ..weights.saved_config import parse_config

Size = Tuple[int, int]  # height, width in pixels
MEAN = tuple(255 * value for value in IMAGENET_MEAN)
STD = tuple(255 * value for value in IMAGENET_STD)
SIZE = (256, 128)
HEAD = 64  # channels of an attention head, where a file does not say it
# keys which tell timm's models apart, where a file does not say it
TIMM_KEYS = {
    'timm_model.stem_0.conv.weight': 'starnet_s3',
    'timm_model.patch_embed.conv1.conv.weight': 'tiny_vit_5m_224'
}
# of an encoder beside its backbone, which alone is published
NORMS = ('image_norm.', 'patch_norm.')


class ReadyEncoder(NamedTuple):
    """An encoder, and what its pictures have to be like.

    Attributes:
        encoder (Encoder): The encoder.
        mean, std (tuple[float, ...]): Of the input, RGB in 0-255.
        size (tuple[int, int]): Height and width it was trained with, in
            pixels, as far as that is known; else 256x128.
        name (str): For titles.
    """
    encoder: Encoder
    mean: Tuple[float, ...]
    std: Tuple[float, ...]
    size: Size
    name: str


def ready_encoder(model: Any, which: str = 'student') -> ReadyEncoder:
    """Get an encoder ready.

    Of a published backbone the norms are as they start: the LayerNorm behind
    the image token of a StarNet or TinyViT, and that behind the inner tokens
    of all backbones, are no part of it. A training checkpoint has them, and
    gives what the k-NN monitor of the training sees.

    Args:
        model (str | Path | nn.Module | ReadyEncoder): A file (or what else
            mmengine loads, such as a URL): a training checkpoint or a
            published backbone. Or an encoder, a pretraining model, a
            backbone.
        which (str): 'student' or 'expert' of a training checkpoint. Defaults
            to 'student'.

    Returns:
        ReadyEncoder: From a file in eval mode and on the CPU; a module is in
        the mode and place it was.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, holds no such encoder, or one that is
            not known.
    """
    if isinstance(model, ReadyEncoder):
        return model
    if isinstance(model, (str, Path)):
        return _from_file(str(model), which)
    mean, std = MEAN, STD
    if hasattr(model, 'input_statistics'):  # a pretraining model
        mean, std = model.input_statistics
        model = model.encoder
    if not isinstance(model, nn.Module):
        raise TypeError('a model is the path of a file, an encoder or a '
                        f'backbone, not a {type(model).__name__}')
    name = type(getattr(model, 'backbone', model)).__name__
    if not isinstance(model, Encoder):
        mode, backbone = model.training, model
        model = encoder_over(backbone)
        model.train(mode)
    return ReadyEncoder(model, tuple(mean), tuple(std), SIZE, name)


def encoder_over(backbone: nn.Module,
                 patch_index: Optional[int] = None) -> Encoder:
    """The encoder that fits a built backbone.

    Args:
        backbone (nn.Module): As :func:`person_encoder` takes by its config.
        patch_index (int, optional): Block of the inner tokens of a plain
            transformer. Defaults to None: the one behind the middle, 7 of
            12.
    """

    def built() -> nn.Module:
        return backbone  # the registry calls what a config names as its type

    if not isinstance(backbone, GridVisionTransformer):
        return MapEncoder(dict(type=built))
    if patch_index is None:
        patch_index = len(backbone.layers) // 2
    return PlainEncoder(dict(type=built), patch_index)


def _from_file(path: str, which: str) -> ReadyEncoder:
    content = peek_checkpoint(path)
    weights, meta = weights_of(content), meta_of(content)
    known = (*BACKBONES['student'], *BACKBONES['expert'])
    if which != 'student' or any(k.startswith(known) for k in weights):
        inside, meta = extract_backbone(content, which)
    else:
        inside = dict(weights)
    settings = parse_config(meta.get('cfg')) or {}
    said = _encoder_settings(settings)
    encoder = encoder_over(
        _build_backbone(inside, meta, path), said.get('patch_index'))
    _load_norms(encoder, weights, which)
    encoder.train(False)
    mean, std = input_statistics(meta)
    size = trained_size(settings) or _grid_size(encoder, meta) or SIZE
    name = osp.splitext(osp.basename(path))[0]
    return ReadyEncoder(encoder, mean, std, size, name)


# load_backbone's place: to be swapped for it
def _build_backbone(weights: Dict[str, Tensor], meta: dict,
                    source: str) -> nn.Module:
    """The backbone that tensors and ``meta`` of a file describe."""
    if 'patch_embed.projection.weight' in weights:
        config, grid = _plain_config(weights, meta)
        weights = dict(weights, pos_grid=torch.tensor(grid))
    else:
        config = _maps_config(weights, meta, source)
    backbone = MODELS.build(config)
    load_weights(backbone, weights, source)
    return backbone


def _plain_config(weights: Dict[str, Tensor], meta: dict) -> Tuple[dict, Size]:
    projection = weights['patch_embed.projection.weight']
    width, patch = projection.shape[0], projection.shape[-1]
    options = backbone_options(dict(meta=meta))
    heads = options.pop('num_heads', width // HEAD or 1)
    grid, _ = table_layout(weights['pos_embed'].shape[1], 'cls_token'
                           in weights, meta.get('position_grid'))
    arch = dict(
        embed_dims=width,
        num_layers=1 +
        max(int(k.split('.')[1]) for k in weights if k.startswith('layers.')),
        num_heads=heads,
        feedforward_channels=len(weights['layers.0.ffn.layers.0.0.weight']))
    return dict(
        type='GridVisionTransformer',
        arch=arch,
        img_size=tuple(side * patch for side in grid),
        patch_size=patch,
        with_cls_token='cls_token' in weights,
        out_type='featmap',
        **options), grid


def _maps_config(weights: Dict[str, Tensor], meta: dict, source: str) -> dict:
    options = backbone_options(dict(meta=meta))
    name = next((n for k, n in TIMM_KEYS.items() if k in weights), None)
    if not options.get('model_name', name):
        raise ValueError(
            f'{source} is of no backbone that is known here: its keys are '
            f'like {list(weights)[:LISTED]}. Give a training checkpoint or a '
            'published backbone of this project; convert foreign names with '
            'tools/model_converters')
    return dict(dict(type='StrideMapBackbone', model_name=name), **options)


def _load_norms(encoder: Encoder, weights: Dict[str, Tensor],
                which: str) -> None:
    prefix = BACKBONES[which][0].replace('backbone.', '')
    norms = {
        key[len(prefix):]: value
        for key, value in weights.items()
        if key.startswith(tuple(prefix + norm for norm in NORMS))
    }
    encoder.load_state_dict(norms, strict=False)
    lacking = sorted({
        key.split('.')[0]
        for key in encoder.state_dict()
        if key.startswith(NORMS) and key not in norms
    })
    if lacking:
        print_log(
            f'the file holds a backbone alone, {" and ".join(lacking)} of '
            'the encoder are as they start', 'current')


def input_statistics(meta: dict) -> Tuple[Tuple[float, ...], ...]:
    """Mean and deviation, RGB in 0-255, that a file says; else ImageNet's."""
    for said in (meta.get('input'), meta.get('encoder')):
        if isinstance(said, dict) and {'mean', 'std'} <= set(said):
            return tuple(said['mean']), tuple(said['std'])
    return MEAN, STD


def _encoder_settings(settings: dict) -> dict:
    model = settings.get('model')
    encoder = model.get('encoder') if isinstance(model, dict) else None
    return encoder if isinstance(encoder, dict) else {}


def trained_size(settings: dict) -> Optional[Size]:
    """Height and width of the crops of a pretraining, None if it has none."""
    for step in steps_of(settings.get('train_dataloader')):
        if step.get('type') == 'PersonCrops' and step.get('size'):
            return tuple(step['size'])
    return None


def _grid_size(encoder: Encoder, meta: dict) -> Optional[Size]:
    """Height and width of a file's position table, None if it has none."""
    if meta.get('position_grid'):
        return tuple(encoder.dims.stride * s for s in meta['position_grid'])
    return None


def steps_of(settings: Union[dict, list, None]) -> List[dict]:
    """All dicts, however deep."""
    if isinstance(settings, dict):
        return [settings] + [
            step for value in settings.values() for step in steps_of(value)
        ]
    if isinstance(settings, (list, tuple)):
        return [step for value in settings for step in steps_of(value)]
    return []
