"""What an encoder gives of pictures, by name: tokens, and maps of stages."""
from typing import Collection, Dict, List, Sequence, Tuple

import torch
from torch import Tensor

from ..backbones import GridVisionTransformer
from ..tokens import KINDS, Tokens
from .base import Encoder

STAGE = 'stage'


def named_outputs(encoder: Encoder, images: Tensor,
                  names: Sequence[str]) -> Dict[str, Tensor]:
    """Encode pictures once and hand out what is asked for.

    Args:
        encoder (Encoder): The encoder, in the mode it is to be used in.
        images (Tensor): ``(B, 3, H, W)`` normalised.
        names (Sequence[str]): Of 'image', 'inner' and 'final', see
            :class:`Tokens`, and 'stage1', 'stage2' ..., the maps of the
            backbone by stride. A plain transformer has one stage, its final
            tokens as a map.

    Returns:
        dict[str, Tensor]: By name: ``(B, D)``, ``(B, L, D_i)``, ``(B, L',
        D_f)``; stages ``(B, C, h, w)``.

    Raises:
        ValueError: If there is no such output.
    """
    stages = [name for name in names if name not in KINDS]
    tokens, maps = _encode(encoder, images,
                           set(names) - set(stages), bool(stages))
    found = {f'{STAGE}{i + 1}': value for i, value in enumerate(maps)}
    missing = [name for name in stages if name not in found]
    if missing:
        raise ValueError(f'{type(encoder.backbone).__name__} gives no '
                         f'{", ".join(missing)}: choose among '
                         f'{", ".join((*KINDS, *found))}')
    found.update(tokens._asdict())
    return {name: found[name] for name in names}


@torch.no_grad()
def output_shapes(encoder: Encoder, size: Tuple[int, int],
                  names: Sequence[str]) -> Dict[str, Tuple[int, ...]]:
    """Shapes of one picture's outputs, by a blank picture.

    Args:
        encoder (Encoder): In eval mode, else BatchNorm counts the picture.
        size (tuple[int, int]): Height and width, in pixels.
        names (Sequence[str]): As of :func:`named_outputs`.

    Raises:
        ValueError: If there is no such output, or the size does not fit.
    """
    blank = next(encoder.parameters()).new_zeros(1, 3, *size)
    found = named_outputs(encoder, blank, names)
    return {name: tuple(value.shape[1:]) for name, value in found.items()}


def cell_maps(encoder: Encoder, images: Tensor, name: str) -> Tensor:
    """Cells of pictures as maps.

    Args:
        encoder (Encoder): In eval mode.
        images (Tensor): ``(B, 3, H, W)`` normalised.
        name (str): 'inner', 'final' or a stage.

    Returns:
        Tensor: ``(B, D, h, w)``.

    Raises:
        ValueError: If it is the image token, or there is no such output.
    """
    if name == 'image':
        raise ValueError("the 'image' token has no cells: choose inner, "
                         'final or a stage')
    if name == 'inner':
        tokens, _ = _encode(encoder, images, ('inner', ), False)
        return tokens.inner.transpose(1, 2).unflatten(2, tokens.grid)
    if name == 'final':
        return _encode(encoder, images, (), True)[1][-1]
    return named_outputs(encoder, images, (name, ))[name]


def _encode(encoder: Encoder, images: Tensor, tokens: Collection[str],
            stages: bool) -> Tuple[Tokens, List[Tensor]]:
    """Tokens, and the maps of the backbone in the order of their strides."""
    if isinstance(encoder.backbone, GridVisionTransformer):
        asked = {*tokens, 'final'} if stages else tokens
        found = encoder(images, tokens=asked)
        if not stages:
            return found, []
        return found, [found.final.transpose(1, 2).unflatten(2, found.grid)]
    maps: List[Tensor] = []
    # the encoder runs the backbone anyway: listen, do not run it twice
    listening = encoder.backbone.register_forward_hook(
        lambda module, args, out: maps.extend(out))
    try:
        return encoder(images, tokens=tokens), maps
    finally:
        listening.remove()
