"""An encoder ready to be used, from whatever the user has of it."""
import os.path as osp
from pathlib import Path
from typing import Any, NamedTuple, Optional, Tuple

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from ..models.backbones import GridVisionTransformer
from ..models.encoders import Encoder, MapEncoder, PlainEncoder
from ..models.preprocessors.person_views import IMAGENET_MEAN, IMAGENET_STD
from ..weights import Converted, peek_checkpoint
from ..weights.backbone import dict_in
from ..weights.encoder_facts import NORMS
from .models import built_backbone, convert_file

Size = Tuple[int, int]  # height, width in pixels
MEAN = tuple(255 * value for value in IMAGENET_MEAN)
STD = tuple(255 * value for value in IMAGENET_STD)
SIZE = (256, 128)


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


def ready_encoder(model: Any, which: Optional[str] = None) -> ReadyEncoder:
    """Get an encoder ready.

    A training checkpoint, and what is published of it, give what the k-NN
    monitor of the training sees. Of other projects' files the norms are as
    they start, which is said: the LayerNorm behind the image token of a
    StarNet or TinyViT, and that behind the inner tokens of all backbones.

    Args:
        model (str | Path | nn.Module | ReadyEncoder): A file (or what else
            mmengine loads, such as a URL) in any layout that
            :func:`~saip_mm.weights.convert_backbone` knows. Or an encoder, a
            pretraining model, a backbone.
        which (str, optional): 'student' or 'expert', where the file holds
            both. Defaults to None, see :func:`.models.load_backbone`.

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
                 patch_index: Optional[int] = None,
                 stride: Optional[int] = None) -> Encoder:
    """The encoder that fits a built backbone.

    Args:
        backbone (nn.Module): As :func:`person_encoder` takes by its config.
        patch_index (int, optional): Block of the inner tokens of a plain
            transformer. Defaults to None: the one behind the middle, 7 of
            12.
        stride (int, optional): Of the map of the inner tokens of another
            backbone. Defaults to None: 16.
    """

    def built() -> nn.Module:
        return backbone  # the registry calls what a config names as its type

    if not isinstance(backbone, GridVisionTransformer):
        return MapEncoder(dict(type=built), stride or 16)
    if patch_index is None:
        patch_index = len(backbone.layers) // 2
    return PlainEncoder(dict(type=built), patch_index)


def _from_file(path: str, which: Optional[str]) -> ReadyEncoder:
    return converted_encoder(
        convert_file(peek_checkpoint(path), path, which), path)


def converted_encoder(found: Converted, source: str) -> ReadyEncoder:
    """Get the encoder of what a file was converted to ready.

    Args:
        found (Converted): As :func:`.models.convert_file` gives it.
        source (str): What to call the file.

    Returns:
        ReadyEncoder: As :func:`ready_encoder` gives it.
    """
    tokens = dict_in(found.meta, 'tokens')
    encoder = encoder_over(
        built_backbone(found, source), tokens.get('patch_index'),
        tokens.get('stride'))
    _load_norms(encoder, tokens, source)
    encoder.train(False)
    said = dict_in(found.meta, 'input')
    mean, std = input_statistics(found.meta)
    name = osp.splitext(osp.basename(source))[0]
    return ReadyEncoder(encoder, mean, std, _size(found, said, encoder), name)


@torch.no_grad()
def _load_norms(encoder: Encoder, tokens: dict, source: str) -> None:
    """Take over the norms behind the backbone, or say which are missing."""
    lacking = []
    for name in NORMS:
        norm, said = getattr(encoder, name), dict_in(tokens, name)
        own = norm.state_dict()
        if not own:  # an identity
            continue
        if not said:
            lacking.append(name)
            continue
        if {
                k: len(v)
                for k, v in said.items()
        } != {
                k: len(v)
                for k, v in own.items()
        }:
            raise ValueError(
                f'{source}: {name} of its encoder has '
                f'{ {k: len(v) for k, v in said.items()} } values instead of '
                f'{ {k: len(v) for k, v in own.items()} }')
        norm.load_state_dict({k: torch.tensor(v) for k, v in said.items()})
    if lacking:
        print_log(
            f'{source} holds a backbone alone, {" and ".join(lacking)} of '
            'the encoder are as they start', 'current')


def _size(found: Converted, said: dict, encoder: Encoder) -> Size:
    """Of a training's crops, of the position table, or the usual one."""
    if 'size' in said:
        return tuple(said['size'])
    if found.grid is not None:
        return tuple(encoder.dims.stride * side for side in found.grid)
    return SIZE


def input_statistics(meta: dict) -> Tuple[Tuple[float, ...], ...]:
    """Mean and deviation, RGB in 0-255, that a file says; else ImageNet's."""
    for said in (meta.get('input'), meta.get('encoder')):
        if isinstance(said, dict) and {'mean', 'std'} <= set(said):
            return tuple(said['mean']), tuple(said['std'])
    return MEAN, STD


def normalised(ready: ReadyEncoder, images: Tensor) -> Tensor:
    """Pictures as an encoder wants them.

    Args:
        ready (ReadyEncoder): The encoder.
        images (Tensor): ``(B, 3, H, W)`` uint8 RGB.

    Returns:
        Tensor: float32, on the encoder's device.
    """
    device = next(ready.encoder.parameters()).device
    mean, std = (
        torch.tensor(values, device=device).view(1, 3, 1, 1)
        for values in (ready.mean, ready.std))
    return (images.to(device).float() - mean) / std
