"""A backbone out of a file, ready to be used."""
from typing import Optional, Sequence, Tuple, Union

import torch
from torch import nn

from mmpretrain.registry import MODELS
from .. import models  # noqa: F401  registers the backbones
from ..weights import (BACKBONES, Converted, convert_backbone, load_weights,
                       peek_checkpoint, weights_of)
from ..weights.architecture import VIT
from ..weights.convert import HEADS

Size = Union[int, Sequence[int]]


def load_backbone(name_or_file: str,
                  which: Optional[str] = None,
                  img_size: Optional[Size] = None,
                  grid: Optional[Tuple[int, int]] = None,
                  device: str = 'cpu',
                  **options) -> nn.Module:
    """Build the backbone that a file holds, with all of its weights.

    Which backbone it is, is read off the file: any layout that
    :func:`~saip_mm.weights.convert_backbone` knows. Nothing is left at
    random: a tensor that is missing, left over or has another shape is an
    error that names it.

    Args:
        name_or_file (str): A file, or what else mmengine loads checkpoints
            from: a URL, ``saip://NAME``.
        which (str, optional): 'student' or 'expert' ('teacher' is the same),
            where the file holds both. Defaults to None: the student of
            SAIP and of this project, the teacher of DINO and SOLIDER.
        img_size (int | Sequence[int], optional): Height and width, in pixels,
            for which a plain transformer's positions are resized once, while
            loading; images of other sizes resize them at each forward.
            Defaults to None: the size they were trained at. Hierarchical
            backbones take any size and leave this alone.
        grid (tuple[int, int], optional): Rows and columns of its positions,
            where the file does not say it.
        device (str): Defaults to 'cpu'.
        **options: Arguments of the backbone, such as ``out_indices=(2, 5, 8,
            11)``, ``last_stride=1``, ``frozen_stages=12``.

    Returns:
        nn.Module: In eval mode. ``(B, 3, H, W)``, normalised as
        ``meta['input']`` of the file says, to a tuple of maps ``(B, C, h,
        w)``. Its config is ``backbone.config``, where its weights come from
        ``backbone.origin``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, of no known layout, incomplete, or says
            other heads than ``options``; names the file.

    Example:
        >>> backbone = load_backbone('saip_vit-tiny.pth')  # doctest: +SKIP
        >>> maps = backbone(torch.zeros(1, 3, 256, 128))  # doctest: +SKIP
    """
    found = convert_file(
        peek_checkpoint(name_or_file), name_or_file, which, grid, options)
    return built_backbone(found, name_or_file, img_size, options).to(device)


def built_backbone(found: Converted,
                   source: str,
                   img_size: Optional[Size] = None,
                   options: Optional[dict] = None) -> nn.Module:
    """Build what a file was converted to, with all of its weights.

    Args:
        found (Converted): As :func:`convert_file` gives it.
        source (str): What to call the file in errors.
        img_size, options: As in :func:`load_backbone`.

    Returns:
        nn.Module: As there.
    """
    options = options or {}
    config = _configured(found, img_size, options)
    with torch.random.fork_rng(devices=[]):  # weights are replaced at once
        backbone = MODELS.build(config)
    load_weights(backbone, loaded_weights(found, options), source=source)
    backbone.config = config
    backbone.origin = dict(file=source, layout=found.layout, which=found.which)
    backbone.train(False)  # mmpretrain's eval() returns None
    return backbone


def backbone_config(name_or_file: str,
                    which: Optional[str] = None,
                    img_size: Optional[Size] = None,
                    **options) -> dict:
    """The same as a ``backbone=`` of a config, with its ``init_cfg``.

    Args:
        name_or_file (str): A training checkpoint or a published backbone of
            this project; others' files have to be converted first.
        which (str, optional): As in :func:`load_backbone`.
        img_size (int | Sequence[int], optional): Likewise.
        **options: Likewise.

    Returns:
        dict: Plain values. Building it in any OpenMMLab library and calling
        ``init_weights()`` gives the weights of :func:`load_backbone`.

    Raises:
        FileNotFoundError, ValueError: As there; and if the file has another
            project's names.
    """
    content = peek_checkpoint(name_or_file)
    found = convert_file(content, name_or_file, which, None, options)
    config = _configured(found, img_size, options)
    if not is_ours(found):
        raise ValueError(
            f'{name_or_file} is named as {found.layout} names it, which '
            'init_cfg cannot rename: make a file of ours of it first, '
            f'saip-mm convert {name_or_file} OUT.pth')
    return dict(config, init_cfg=init_cfg_of(found, content, name_or_file))


def is_ours(found: Converted) -> bool:
    """Whether a file has this project's names, which ``init_cfg`` takes."""
    return found.layout.startswith('saip_mm')


def init_cfg_of(found: Converted, content: dict, source: str) -> dict:
    """The ``init_cfg`` of a file of this project.

    Args:
        found (Converted): As :func:`convert_file` gives it.
        content (dict): What the file holds.
        source (str): Where it is.
    """
    init_cfg = dict(type='Pretrained', checkpoint=source)
    if 'checkpoint' in found.layout:
        keys = weights_of(content)
        init_cfg['prefix'] = next(p for p in BACKBONES[found.which] if any(
            k.startswith(p) for k in keys))
    return init_cfg


def convert_file(content: dict,
                 source: str,
                 which: Optional[str] = None,
                 grid: Optional[Tuple[int, int]] = None,
                 options: Optional[dict] = None) -> Converted:
    """:func:`~saip_mm.weights.convert_backbone`, with errors that say whose.

    Args:
        content (dict): What the file holds.
        source (str): What to call it in errors.
        which, grid, options: As in :func:`load_backbone`.
    """
    options = options or {}
    told = {k: options[k] for k in HEADS if k in options}
    try:
        return convert_backbone(content, which, grid, told)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error


def _configured(found: Converted, img_size: Optional[Size],
                options: dict) -> dict:
    config = {**found.model, **options}
    if config['type'] != VIT:
        return config
    config.pop('num_heads', None)  # in arch
    if img_size is not None:
        sides = (img_size, ) * 2 if isinstance(img_size, int) else img_size
        config['img_size'] = tuple(int(side) for side in sides)
    return config


def loaded_weights(found: Converted, options: Optional[dict] = None) -> dict:
    """Weights by a backbone's names, less what is switched off by name."""
    options = options or {}
    weights = dict(found.weights)
    if found.grid is not None:
        weights['pos_grid'] = torch.tensor(found.grid)
    for option, prefix in (('last_norm', 'last_norm.'), ('neck_channels',
                                                         'neck.')):
        if option in options and not options[option]:
            weights = {
                k: v
                for k, v in weights.items() if not k.startswith(prefix)
            }
    return weights
