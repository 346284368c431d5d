"""Weights of other projects, and of this one, as one of its backbones.

What a file is, its names say: nobody has to. Then every tensor of the
backbone must be there in its shape, and nothing that is neither the
backbone's nor known to stand beside one.
"""
import re
from collections import OrderedDict
from typing import Dict, Iterable, Optional, Tuple

from torch import Tensor

from .architecture import (MAPS, VIT, is_maps, is_vit, maps_config, own_shapes,
                           vit_config)
from .backbone import BACKBONES, UNSEEN, backbone_options, extract_backbone
from .converted import SWIN, Converted, Hints, compare
from .encoder_facts import encoder_facts
from .foreign import recognise
from .position_grid import Grid, check_orientation, table_layout
from .read import meta_of, weights_of

HEADS = ('num_heads', 'last_block_heads')
# what may be said of each kind, as no tensor shows it
UNSEEN_OF = {VIT: HEADS, MAPS: set(UNSEEN) - set(HEADS), SWIN: ()}
# what only SAIP's pretraining has, and only DINO's and SOLIDER's
SAIP_KEYS = re.compile(r'(^|\.)(cs[mrs]_decoder|inter_norm)\.')
DINO_KEYS = re.compile(r'(^|\.)head\.(mlp|last_layer)\.')
BRANCHES = ('student', 'teacher')


def convert_backbone(checkpoint: dict,
                     which: Optional[str] = None,
                     grid: Optional[Grid] = None,
                     options: Optional[dict] = None,
                     semantic_weight: Optional[float] = None) -> Converted:
    """Find the backbone in a file of any layout that is known here.

    Known are: checkpoints and published backbones of this project; SAIP's
    release, the authors' downstream backbones, DINO, MAE, HAP, DeiT, PATH,
    SOLIDER and timm, as plain transformers; StarNet (official, timm's, the
    authors'); TinyViT (official, timm's, the authors' with its neck);
    SOLIDER's Swin, which is mmpretrain's.

    Args:
        checkpoint (dict): What the file holds.
        which (str, optional): 'student' or 'teacher' ('expert' is the same),
            where it holds both. Defaults to None: the student of SAIP and of
            this project, the teacher of DINO and SOLIDER, as each of them
            does.
        grid (tuple[int, int], optional): Rows and columns of the position
            table, where the file does not say it and several fit.
        options (dict, optional): What no tensor shows and the file does not
            say: ``num_heads``, ``last_block_heads`` (6 and 12 in the
            students of SAIP*), ``last_stride``, ``mask_padding``.
        semantic_weight (float, optional): Lambda at which controllers of
            SOLIDER's, in a training checkpoint of this project, become part
            of the backbone. Defaults to None: the checkpoint's, or 0.2.
            Refused where there are none.

    Returns:
        Converted: The backbone, complete.

    Raises:
        ValueError: If no layout or several are recognised, a tensor is
            missing, left over or has another shape, a branch is not there or
            a choice, or the grid cannot be told or is another than said.
    """
    if which not in (None, 'student', 'teacher', 'expert'):
        raise ValueError(f"which must be 'student', 'teacher' or 'expert', "
                         f"got '{which}'")
    options = {k: v for k, v in (options or {}).items() if v is not None}
    found = _convert(checkpoint, which, grid, options, semantic_weight)
    strange = [k for k in options if k not in UNSEEN_OF[found.model['type']]]
    if strange:
        raise ValueError(f'{strange[0]} is nothing that {found.layout} has: '
                         'leave it out')
    held = found.meta.get('semantic_weight')
    if semantic_weight is not None and held != semantic_weight:
        what = ('no controllers of SOLIDER\'s'
                if held is None else f'those of {held} in it already')
        raise ValueError(f'semantic weight {semantic_weight}: {found.layout} '
                         f'has {what}; leave it out (--semantic-weight)')
    return found


def _convert(checkpoint: dict, which: Optional[str], grid: Optional[Grid],
             options: dict, semantic_weight: Optional[float]) -> Converted:
    own = _own_backbone(checkpoint, which, semantic_weight)
    if own is not None:
        return _convert_own(*own, grid, options)
    weights, which, saip = _branch(checkpoint, which)
    layout, prefix = recognise(weights)
    inside = OrderedDict((key[len(prefix):], value)
                         for key, value in weights.items()
                         if key.startswith(prefix))
    hints = Hints(layout.name, saip, _same_grid(grid, meta_of(checkpoint)), {
        **backbone_options(checkpoint),
        **options
    })
    found = layout.convert(inside, hints)
    outside = [key for key in weights if not key.startswith(prefix)]
    beside = [prefix + key for key in found.left_out]
    return found._replace(
        which=which,
        left_out=beside + outside,
        meta={
            **found.meta,
            **meta_of(checkpoint)
        })


def _same_grid(grid: Optional[Grid], meta: dict) -> Optional[Grid]:
    """The grid that is said, by the caller or the file."""
    said = meta.get('position_grid')
    if said is None:
        return grid and tuple(grid)
    if grid is not None and tuple(grid) != tuple(said):
        raise ValueError(f'its positions are said to be {grid[0]}x{grid[1]}, '
                         f'but the file says {said[0]}x{said[1]}: leave out '
                         'the grid, tables are resized from the file\'s')
    return tuple(said)


def _agreed(said: dict, options: dict) -> dict:
    """Options of the file and the caller's, who may not change its heads."""
    for key in HEADS:
        if key in said and options.get(key, said[key]) != said[key]:
            raise ValueError(f'it was trained with {key}={said[key]}, not '
                             f'{options[key]}: leave that out')
    return {**said, **options}


def _own_backbone(
        checkpoint: dict, which: Optional[str],
        semantic_weight: Optional[float]) -> Optional[Tuple[dict, dict, str]]:
    """Backbone, meta and layout of a file of this project."""
    weights = weights_of(checkpoint)
    role = 'student' if which in (None, 'student') else 'expert'
    for prefix in (*BACKBONES['student'], *BACKBONES['expert']):
        inside = {
            key[len(prefix):]: value
            for key, value in weights.items() if key.startswith(prefix)
        }
        if is_vit(inside) or is_maps(inside):
            backbone, meta = extract_backbone(checkpoint, role,
                                              semantic_weight)
            meta.update(encoder_facts(checkpoint, role))
            return backbone, meta, f'saip_mm checkpoint, {role}'
    begun = any(
        key.startswith(('patch_embed.', 'pos_embed')) for key in weights)
    if not (is_maps(weights) or is_vit(weights) and begun):
        return None
    meta = dict(meta_of(checkpoint))
    origin = meta.get('origin')
    held = origin.get('which') if isinstance(origin, dict) else None
    held = 'expert' if held == 'teacher' else held
    if which is not None and held not in (None, role):
        raise ValueError(f"the file holds the {held} alone, no '{which}': "
                         'leave out which (--which)')
    if held is None and role == 'expert':
        raise ValueError(f"the file holds one backbone, no '{which}' beside "
                         'another: leave out which (--which)')
    weights = OrderedDict(weights)
    saved = weights.pop('pos_grid', None)
    if saved is not None:
        meta['position_grid'] = saved.tolist()
    return weights, meta, f'saip_mm backbone, {held or "student"}'


def _convert_own(weights: dict, meta: dict, layout: str, grid: Optional[Grid],
                 options: dict) -> Converted:
    said = _agreed(backbone_options(dict(meta=meta)), options)
    grid = _same_grid(grid, meta)
    if is_vit(weights):
        _need(weights, 'pos_embed', 'patch_embed.projection.weight',
              'layers.0.ffn.layers.0.0.weight')
        grid = _told_grid(weights, grid)
        model = vit_config(weights, grid, said)
    else:
        model = maps_config(weights, said)
    shapes = own_shapes(model, weights)
    if shapes is not None:
        compare(weights, shapes, {key: key for key in shapes}, layout)
    which = layout.rpartition(' ')[2]
    return Converted(weights, model, layout, which, grid, (), meta)


def _need(weights: dict, *keys: str) -> None:
    for key in keys:
        if key not in weights:
            raise ValueError(f'missing: {key}; the file is incomplete')


def _told_grid(weights: dict, grid: Optional[Grid]) -> Grid:
    table = weights['pos_embed']
    told, slots = table_layout(table.shape[1], 'cls_token' in weights, grid)
    if grid is None:
        check_orientation(table, told, slots, 'pos_embed')
    return told


def select_branch(checkpoint: dict, branch: Optional[str] = None) -> dict:
    """Find the weights in a checkpoint of DINO, MAE, DeiT, SAIP or timm.

    Args:
        checkpoint (dict): What the file holds.
        branch (str, optional): As ``which`` in :func:`convert_backbone`.

    Returns:
        dict[str, Tensor]: Tensors by name, prefixes and all.

    Raises:
        ValueError: If the branch is not there or there is a choice.
    """
    return _branch(checkpoint, branch)[0]


def _branch(checkpoint: dict,
            which: Optional[str]) -> Tuple[dict, Optional[str], bool]:
    """Weights of one branch, its name, and whether it is SAIP's file."""
    which = 'teacher' if which == 'expert' else which
    nest = checkpoint
    if not any(isinstance(nest.get(b), dict) for b in BRANCHES):
        nest = _split(weights_of(checkpoint))
    found = [b for b in BRANCHES if isinstance(nest.get(b), dict)]
    if not found:
        if which is not None:
            raise ValueError(f"it holds one network, no '{which}' beside "
                             'another: leave out which (--which)')
        return nest, None, _any(SAIP_KEYS, nest)
    keys = [key for b in found for key in weights_of(nest[b])]
    saip = _any(SAIP_KEYS, keys)
    if which is None and len(found) > 1:
        if not saip and not _any(DINO_KEYS, keys):
            raise ValueError(
                'it holds student and teacher, and nothing tells it from '
                'SAIP, of which the student is taken, or DINO, of which the '
                "teacher is: choose one with which='student' or 'teacher' "
                '(--which)')
        which = 'student' if saip else 'teacher'
    which = which or found[0]
    if which not in found:
        raise ValueError(f"it has no '{which}', only {', '.join(found)}")
    return weights_of(nest[which]), which, saip


def _split(weights: Dict[str, Tensor]) -> dict:
    """By branch where names begin with ``student.`` and ``teacher.``."""
    branches: Dict[str, dict] = {}
    for key, value in weights.items():
        start, _, rest = key.partition('.')
        if start in BRANCHES:
            branches.setdefault(start, OrderedDict())[rest] = value
    return branches or weights


def _any(pattern: 're.Pattern', keys: Iterable[str]) -> bool:
    return any(pattern.search(key) for key in keys)
