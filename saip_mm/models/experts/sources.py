"""Where a frozen expert comes from: a file, a config, or a name."""
import hashlib
import os.path as osp
from typing import Iterator, NamedTuple, Optional

import torch
from mmengine.logging import print_log
from torch import nn

from mmpretrain.registry import MODELS
from saip_mm.weights import (Converted, convert_backbone, file_sha256,
                             load_weights, meta_of, read_checkpoint)
from saip_mm.weights.architecture import VIT
from saip_mm.weights.key_maps import vit_depth
from saip_mm.weights.last_block import (UNTRAINED, last_block_ratio,
                                        last_trained)
from saip_mm.weights.zoo import local_file
from ..encoders import Encoder, TimmEncoder, is_plain
from .layers import cut_transformer, cut_weights


class Source(NamedTuple):
    """An expert's encoder, and what is known of its origin.

    Attributes:
        encoder (Encoder): With its weights.
        file (str, optional): Where they lie on this machine.
        name (str, optional): What else they are called.
        statistics (tuple, optional): Mean and deviation of its input, 0-255.
    """
    encoder: Encoder
    file: Optional[str] = None
    name: Optional[str] = None
    statistics: Optional[tuple] = None


def from_file(checkpoint: str,
              encoder: dict,
              out_index: Optional[int] = None,
              final_norm: Optional[bool] = None,
              conversion: Optional[dict] = None) -> Source:
    """An expert out of a file of any layout that is known here.

    Args:
        checkpoint (str): Path, or ``saip://NAME``.
        encoder (dict): Settings of its ``PersonEncoder``; those of the
            backbone are read off the file.
        out_index (int, optional): As of :class:`FrozenExpert`.
        final_norm (bool, optional): Likewise.
        conversion (dict, optional): Arguments of ``convert_backbone``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is none of the layouts, or damaged.
    """
    file = local_file(checkpoint)
    try:
        content = read_checkpoint(file or checkpoint)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'the frozen expert is not there: {error} and name it by '
            'model.expert.checkpoint=FILE. A student alone does not need it: '
            'publish its backbone') from error
    try:
        found = convert_backbone(content, **(conversion or {}))
    except ValueError as error:
        raise ValueError(
            f'{checkpoint} cannot be an expert: {error}. A model of timm: '
            "encoder=dict(type='TimmEncoder', model_name=..., checkpoint="
            'FILE); any other of mmpretrain: encoder=dict(backbone=dict(..., '
            "init_cfg=dict(type='Pretrained', checkpoint=FILE)))") from error
    whole = dict(found.model, **encoder.get('backbone', {}))
    backbone, weights = whole, found.weights
    if found.model['type'] == VIT:
        if out_index is None:
            out_index = _trained_index(found, checkpoint)
        whole['checkpoint_grid'] = found.grid
        backbone = cut_transformer(whole, out_index, final_norm)
        weights, _ = cut_weights(weights, backbone, whole)
    else:
        refuse_layers(out_index, final_norm)
    built = _person_encoder(encoder, backbone)
    load_weights(built.backbone, weights, checkpoint)
    statistics = meta_of(content).get('input') or {}
    if {'mean', 'std'} <= set(statistics):
        statistics = statistics['mean'], statistics['std']
    return Source(built, file, checkpoint, statistics or None)


def _person_encoder(encoder: dict, backbone: dict) -> Encoder:
    settings = dict(type='PersonEncoder') | dict(encoder)
    if backbone['type'] == VIT:
        settings.setdefault('patch_index', -1)
    return MODELS.build(settings | dict(backbone=backbone))


def _trained_index(found: Converted, checkpoint: str) -> int:
    """The last block that was trained with the others."""
    depth = vit_depth(found.weights)
    index = last_trained(found.meta.get('untrained') or (), depth)
    ratio = last_block_ratio(found.weights)
    if index == depth - 1 and (ratio is None or ratio >= UNTRAINED):
        return index
    why = 'no objective of its training reached block'
    if index == depth - 1:
        why = (f'the norm of its attention, {ratio:.2f} of the median, says '
               'that hardly anything trained block')
    index = min(index, depth - 2)
    print_log(
        f'{checkpoint}: {why} {index + 1}; tokens come from block {index}, '
        f'with a norm without parameters. out_index={depth - 1} takes the '
        'last', 'current')
    return index


def refuse_layers(out_index: Optional[int],
                  final_norm: Optional[bool]) -> None:
    """Refuse to choose a block where there are maps.

    Raises:
        ValueError: If either is given.
    """
    if out_index is not None or final_norm is not None:
        raise ValueError(
            'out_index and final_norm choose a block of a plain transformer; '
            'of a hierarchical expert encoder=dict(stride=...) chooses the '
            "map, and its backbone's out_indices which there are")


def from_config(encoder: dict,
                out_index: Optional[int] = None,
                final_norm: Optional[bool] = None) -> Source:
    """An expert by the config of its encoder, which names its file.

    Args:
        encoder (dict): Of an ``Encoder``.
        out_index (int, optional): As of :class:`FrozenExpert`.
        final_norm (bool, optional): Likewise.
    """
    settings = dict(type='PersonEncoder') | dict(encoder)
    kind = settings['type']
    if kind is TimmEncoder or MODELS.get(kind) is TimmEncoder:
        layers = dict(out_index=out_index, final_norm=final_norm)
        if final_norm is None and out_index not in (None, -1):
            layers['final_norm'] = False
        settings.update((k, v) for k, v in layers.items() if v is not None)
        built = MODELS.build(settings)
        name = built.model_name if built.pretrained or built.file else None
        return Source(built, built.file, name, built.statistics)
    backbone = settings['backbone']
    if is_plain(backbone):
        settings.setdefault('patch_index', -1)
        if out_index is not None or final_norm is not None:
            settings['backbone'] = cut_transformer(
                backbone, -1 if out_index is None else out_index, final_norm)
    else:
        refuse_layers(out_index, final_norm)
    built = MODELS.build(settings)
    built.init_weights()
    name = next(_named_files(encoder), None)
    return Source(built, name and local_file(name), name)


def _named_files(settings) -> Iterator[str]:
    """Values of ``checkpoint`` in a config, however deep."""
    if isinstance(settings, dict):
        for key, value in settings.items():
            if key == 'checkpoint' and isinstance(value, str):
                yield value
            else:
                yield from _named_files(value)
    elif isinstance(settings, (list, tuple)):
        for value in settings:
            yield from _named_files(value)


def digest_of(source: Source) -> Optional[str]:
    """SHA-256 of the file; of the tensors where there is none.

    Returns:
        str, optional: In hexadecimal; None for a random start.
    """
    if source.file is not None and osp.isfile(source.file):
        return file_sha256(source.file)
    return source.name and tensors_sha256(source.encoder.backbone)


@torch.no_grad()
def tensors_sha256(module: nn.Module) -> str:
    """SHA-256 of a module's tensors, by name, in hexadecimal."""
    digest = hashlib.sha256()
    for key, value in module.state_dict().items():
        digest.update(f'{key} {tuple(value.shape)} {value.dtype}'.encode())
        digest.update(value.cpu().contiguous().view(-1).view(torch.uint8).
                      numpy().tobytes() if value.numel() else b'')
    return digest.hexdigest()
