"""Layouts of other projects' files, each with its way to a backbone."""
import re
from collections import OrderedDict
from functools import lru_cache
from typing import Callable, Dict, List, NamedTuple, Tuple

from torch import Tensor

from .architecture import last_width, maps_config, neck_shapes, vit_config
from .check import LISTED
from .converted import Converted, Hints, compare
from .key_maps import BESIDE, convert_vit_keys
from .last_block import path_untrained
from .stage_nets import (FAMILIES, Shapes, batch_norm, expected_shapes,
                         family_arguments, nearest_variant, official_name,
                         own_name, shapes_of)
from .swin import convert_swin

SHAPELESS = ('last_stride', 'neck_stride', 'mask_padding')
# blocks of the students of SAIP* behind StarNet and TinyViT
EXPERT_BLOCKS = re.compile(r'(vit_blocks?|cls_token|final_norm|proj)(\.|$)')
STAR = (' (a student of SAIP*: its transformer blocks have no place in '
        'StrideMapBackbone)')
# what begins a network: decoders have blocks too
BEGINNINGS = ('patch_embed.', 'pos_embed', 'cls_token', 'stem.')


class Layout(NamedTuple):
    """How one kind of file names its tensors.

    Attributes:
        name (str): For people.
        mark (re.Pattern): Matches names that only it has; what stands in
            front is the prefix.
        convert (Callable): Weights without prefix, and a :class:`Hints`, to
            a :class:`Converted`.
    """
    name: str
    mark: 're.Pattern'
    convert: Callable


def _convert_vit(weights: Dict[str, Tensor], hints: Hints) -> Converted:
    vit = convert_vit_keys(weights, hints.grid)
    model = vit_config(vit.backbone, vit.grid, hints.options)
    untrained = path_untrained(weights, vit.backbone)
    return Converted(vit.backbone, model, hints.layout, None, vit.grid,
                     vit.ignored,
                     dict(untrained=untrained) if untrained else {})


def _convert_stages(family: str, spelling: Callable[[str], str],
                    norm: str) -> Callable:
    """How weights of a family are taken that spell names in some way.

    Args:
        family (str): A key of ``FAMILIES``.
        spelling (Callable): timm's name to the file's.
        norm (str): The file's name of the norm before the classifier.
    """

    def convert(weights: Dict[str, Tensor], hints: Hints) -> Converted:
        kept = OrderedDict((k, v) for k, v in weights.items()
                           if not k.endswith('attention_bias_idxs'))
        model_name, inside = _nearest(kept, family, spelling, _is_ours(hints))
        names = {spelling(k): own_name(k) for k in inside}
        shapes = {own_name(k): shape for k, shape in inside.items()}
        behind = _behind(kept, family, norm, last_width(inside), hints)
        for name, own, shape in behind:
            names[name], shapes[own] = own, shape
        options = {k: v for k, v in hints.options.items() if k in SHAPELESS}
        if behind or hints.saip:  # as in all of the authors' networks
            options.setdefault('last_stride', 1)
        beside = [
            k for k in kept
            if k not in names and (BESIDE.match(k) or k.startswith(f'{norm}.'))
        ]
        taken = OrderedDict(
            (k, v) for k, v in kept.items() if k not in set(beside))
        note = STAR if any(EXPERT_BLOCKS.match(k) for k in taken) else ''
        compare(taken, shapes, names, hints.layout, note)
        own = OrderedDict((names[k], v) for k, v in taken.items())
        model = maps_config(own, {'model_name': model_name, **options})
        return Converted(own, model, hints.layout, None, None, beside)

    return convert


def _behind(weights: Dict[str, Tensor], family: str, norm: str, width: int,
            hints: Hints) -> List[Tuple[str, str, tuple]]:
    """What the authors have behind the last map: file's name, own, shape.

    A neck in TinyViT. In StarNet a norm, which in a classifier's file is the
    classifier's.
    """
    found = []
    classifies = any(re.match(r'head\.(fc\.)?\w+$', k) for k in weights)
    normed = hints.options.get('last_norm', not classifies
                               and not _is_ours(hints))
    if family == 'starnet' and normed and any(
            k.startswith(f'{norm}.') for k in weights):
        found += [(f'{norm}.{own[len("last_norm."):]}', own, shape)
                  for own, shape in batch_norm('last_norm', width)]
    if any(k.startswith('neck.') for k in weights):
        channels = len(weights.get('neck.0.weight', range(256)))
        found += [(own, own, shape)
                  for own, shape in neck_shapes(width, channels).items()]
    return found


def _is_ours(hints: Hints) -> bool:
    """Whether a file says what this project writes, in a folder for timm."""
    return 'model_name' in hints.options


def _nearest(weights: Dict[str, Tensor], family: str, spelling: Callable[[str],
                                                                         str],
             any_size: bool) -> Tuple[str, Shapes]:
    """timm's model that a file is of, and its tensors by timm's names.

    A file that lacks a whole block is another size of the family, so only
    sizes that are published are believed, unless the file is ours.
    """
    back = _timm_names(family, spelling)
    shapes = {back[k]: v for k, v in shapes_of(weights).items() if k in back}
    told = family_arguments(family, shapes)
    if told is None or not any_size and set(
            told) - {'model_name', 'window_sizes'}:
        told = dict(model_name=nearest_variant(family, shapes))
    return told['model_name'], expected_shapes(family, **told)


@lru_cache
def _timm_names(family: str, spelling: Callable[[str], str]) -> Dict[str, str]:
    """timm's names by a file's, of all models of a family."""
    known = FAMILIES[family]
    return {
        spelling(key): key
        for variant in known.variants.values()
        for key in known.shapes(*variant)
    }


def _same(key: str) -> str:
    return key


LAYOUTS = (
    Layout(
        'StarNet (official, timm)',
        re.compile(r'(?:^|\.)(?P<name>stages\.\d+\.\d+\.'
                   r'(dwconv2?|f1|f2|g)\.conv\.)'),
        _convert_stages('starnet', _same, 'norm')),
    Layout(
        'TinyViT (timm)',
        re.compile(r'(?:^|\.)(?P<name>stages\.\d+\.(downsample\.conv\d|'
                   r'blocks\.\d+\.(conv\d|local_conv))\.conv\.)'),
        _convert_stages('tiny_vit', _same, 'head.norm')),
    Layout(
        'TinyViT (official, the authors\')',
        re.compile(r'(?:^|\.)(?P<name>layers\.\d+\.(downsample\.conv\d|'
                   r'blocks\.\d+\.(conv\d|local_conv))\.c\.)'),
        _convert_stages('tiny_vit', official_name, 'norm_head')),
    Layout(
        'Swin (SOLIDER)',
        re.compile(r'(?:^|\.)(?P<name>stages\.\d+\.blocks\.\d+\.attn\.'
                   r'w_msa\.)'), convert_swin),
    Layout(
        'plain transformer (SAIP, DINO, MAE, HAP, PATH, SOLIDER, timm)',
        re.compile(r'(?:^|(?<!layers\.\d)(?<!stages\.\d)\.)(?P<name>blocks\.'
                   r'\d+\.(norm[12]|attn\.(qkv|proj)|mlp\.fc[12])\.)'),
        _convert_vit),
)


def recognise(weights: Dict[str, Tensor]) -> Tuple[Layout, str]:
    """The layout of a file, and what stands in front of its names."""
    for layout in LAYOUTS:
        counts: Dict[str, int] = {}
        for key in weights:
            match = layout.mark.search(key)
            if match:
                prefix = key[:match.start('name')]
                counts[prefix] = counts.get(prefix, 0) + 1
        begun = [
            prefix for prefix in counts if any(
                key.startswith(prefix + first) for key in weights
                for first in BEGINNINGS)
        ]
        counts = {prefix: counts[prefix] for prefix in begun or counts}
        if len(counts) > 1:
            raise ValueError(
                f'it holds {len(counts)} networks like {layout.name}, under '
                f'{", ".join(repr(p) for p in list(counts)[:LISTED])}: save '
                'the one that is wanted to a file of its own')
        if counts:
            return layout, next(iter(counts))
    raise ValueError(
        f'no known layout: its keys are like {list(weights)[:LISTED]}. Known '
        f'are {", ".join(layout.name for layout in LAYOUTS)}, and files of '
        'saip_mm')
