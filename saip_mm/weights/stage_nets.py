"""StarNet and TinyViT: what a file of theirs must hold, under which names.

Shapes follow from a model's arguments, so that a file is compared key by key
without building a network.
"""
from collections import OrderedDict
from math import prod
from typing import Callable, Dict, Iterator, NamedTuple, Optional, Tuple

from torch import Tensor

Shapes = Dict[str, Tuple[int, ...]]
COUNTER = 'num_batches_tracked'
# timm's models: arguments that shape their tensors
STARNETS = {
    'starnet_s3': (32, (2, 2, 8, 4), 4),
    'starnet_s1': (24, (2, 2, 8, 3), 4),
    'starnet_s2': (32, (1, 2, 6, 2), 4),
    'starnet_s4': (32, (3, 3, 12, 5), 4),
    'starnet_s050': (16, (1, 1, 3, 1), 3),
    'starnet_s100': (20, (1, 2, 4, 1), 4),
    'starnet_s150': (24, (1, 2, 4, 2), 3),
}
TINY_VITS = {
    'tiny_vit_5m_224':
    ((64, 128, 160, 320), (2, 2, 6, 2), (2, 4, 5, 10), (7, 7, 14, 7)),
    'tiny_vit_11m_224':
    ((64, 128, 256, 448), (2, 2, 6, 2), (2, 4, 8, 14), (7, 7, 14, 7)),
    'tiny_vit_21m_224':
    ((96, 192, 384, 576), (2, 2, 6, 2), (3, 6, 12, 18), (7, 7, 14, 7)),
    'tiny_vit_21m_384':
    ((96, 192, 384, 576), (2, 2, 6, 2), (3, 6, 12, 18), (12, 12, 24, 12)),
    'tiny_vit_21m_512': ((96, 192, 384, 576), (2, 2, 6, 2), (3, 6, 12, 18),
                         (16, 16, 32, 16)),
}


class Family(NamedTuple):
    """A family of networks.

    Attributes:
        variants (dict[str, tuple]): Arguments by timm's name.
        arguments (tuple[str]): Names of the arguments.
        shapes (Callable): Arguments to shapes, by timm's names, no head.
        read (Callable): Shapes of a file, by timm's names, to arguments.
        norm (str): The norm in front of the classifier, in timm.
    """
    variants: Dict[str, tuple]
    arguments: Tuple[str, ...]
    shapes: Callable[..., Shapes]
    read: Callable[[Shapes], tuple]
    norm: str


def parameter_count(shapes: Shapes) -> int:
    """Scalars that are learnt: BatchNorm's averages and counters are not."""
    return sum(
        prod(shape) for key, shape in shapes.items()
        if not key.endswith(('running_mean', 'running_var', COUNTER)))


def batch_norm(name: str, width: int) -> Iterator[Tuple[str, tuple]]:
    """Names and shapes of a BatchNorm."""
    for part in ('weight', 'bias', 'running_mean', 'running_var'):
        yield f'{name}.{part}', (width, )
    yield f'{name}.{COUNTER}', ()


def _affine(name: str, *shape: int) -> Iterator[Tuple[str, tuple]]:
    """Weight and bias of a linear layer, a convolution or a LayerNorm."""
    yield f'{name}.weight', shape
    yield f'{name}.bias', shape[:1]


def starnet_shapes(base_dim: int, depths: Tuple[int, ...],
                   mlp_ratio: int) -> Shapes:
    """A StarNet's tensors by timm's names, without norm and head.

    Example:
        >>> shapes = starnet_shapes(32, (2, 2, 8, 4), 4)
        >>> parameter_count(shapes)
        5493280
    """
    found = [
        *_affine('stem.0.conv', 32, 3, 3, 3), *batch_norm('stem.0.bn', 32)
    ]
    before = 32
    for stage, depth in enumerate(depths):
        width = base_dim * 2**stage
        start = f'stages.{stage}.0'
        found += _affine(f'{start}.conv', width, before, 3, 3)
        found += batch_norm(f'{start}.bn', width)
        hidden, before = mlp_ratio * width, width
        for block in range(1, depth + 1):
            start = f'stages.{stage}.{block}'
            found += _affine(f'{start}.dwconv.conv', width, 1, 7, 7)
            found += batch_norm(f'{start}.dwconv.bn', width)
            found += _affine(f'{start}.f1.conv', hidden, width, 1, 1)
            found += _affine(f'{start}.f2.conv', hidden, width, 1, 1)
            found += _affine(f'{start}.g.conv', width, hidden, 1, 1)
            found += batch_norm(f'{start}.g.bn', width)
            found += _affine(f'{start}.dwconv2.conv', width, 1, 7, 7)
    return OrderedDict(found)


def _read_starnet(shapes: Shapes) -> tuple:
    depths = _depths(shapes, 'stages.{}.', -1)
    base = shapes['stages.0.0.bn.weight'][0]
    return base, depths, shapes['stages.0.1.f1.conv.bias'][0] // base


def tinyvit_shapes(embed_dims: Tuple[int, ...], depths: Tuple[int, ...],
                   num_heads: Tuple[int, ...],
                   window_sizes: Tuple[int, ...]) -> Shapes:
    """A TinyViT's tensors by timm's names, without norm and head.

    Example:
        >>> shapes = tinyvit_shapes(*TINY_VITS['tiny_vit_5m_224'])
        >>> parameter_count(shapes)
        5071124
    """
    first = embed_dims[0]
    found = [
        *_conv('patch_embed.conv1', first // 2, 3, 3),
        *_conv('patch_embed.conv2', first, first // 2, 3)
    ]
    for block in range(depths[0]):
        start = f'stages.0.blocks.{block}'
        found += _conv(f'{start}.conv1', 4 * first, first, 1)
        found += _conv(f'{start}.conv2', 4 * first, 1, 3)
        found += _conv(f'{start}.conv3', first, 4 * first, 1)
    for stage in range(1, len(depths)):
        before, width = embed_dims[stage - 1:stage + 1]
        start = f'stages.{stage}.downsample'
        found += _conv(f'{start}.conv1', width, before, 1)
        found += _conv(f'{start}.conv2', width, 1, 3)
        found += _conv(f'{start}.conv3', width, width, 1)
        for block in range(depths[stage]):
            start = f'stages.{stage}.blocks.{block}'
            found.append((f'{start}.attn.attention_biases',
                          (num_heads[stage], window_sizes[stage]**2)))
            found += _affine(f'{start}.attn.norm', width)
            found += _affine(f'{start}.attn.qkv', 3 * width, width)
            found += _affine(f'{start}.attn.proj', width, width)
            found += _affine(f'{start}.mlp.norm', width)
            found += _affine(f'{start}.mlp.fc1', 4 * width, width)
            found += _affine(f'{start}.mlp.fc2', width, 4 * width)
            found += _conv(f'{start}.local_conv', width, 1, 3)
    return OrderedDict(found)


def _conv(name: str, out: int, inner: int,
          kernel: int) -> Iterator[Tuple[str, tuple]]:
    """A convolution without bias and its BatchNorm."""
    yield f'{name}.conv.weight', (out, inner, kernel, kernel)
    yield from batch_norm(f'{name}.bn', out)


def _read_tinyvit(shapes: Shapes) -> tuple:
    depths = _depths(shapes, 'stages.{}.blocks.')
    dims = [shapes['patch_embed.conv2.bn.weight'][0]]
    tables = [(1, 49)]  # of the first stage, which has no windows
    for stage in range(1, len(depths)):
        dims.append(shapes[f'stages.{stage}.downsample.conv3.bn.weight'][0])
        tables.append(shapes[f'stages.{stage}.blocks.0.attn.attention_biases'])
    heads = tuple(heads for heads, _ in tables)
    windows = tuple(round(cells**0.5) for _, cells in tables)
    return tuple(dims), depths, heads, windows


def _depths(shapes: Shapes, start: str, less: int = 0) -> Tuple[int, ...]:
    depths = []
    while True:
        prefix = start.format(len(depths))
        blocks = {
            key[len(prefix):].split('.')[0]
            for key in shapes if key.startswith(prefix)
        }
        if not blocks:
            return tuple(depths)
        depths.append(len(blocks) + less)


FAMILIES = dict(
    starnet=Family(STARNETS, ('base_dim', 'depths', 'mlp_ratio'),
                   starnet_shapes, _read_starnet, 'norm'),
    tiny_vit=Family(TINY_VITS,
                    ('embed_dims', 'depths', 'num_heads', 'window_sizes'),
                    tinyvit_shapes, _read_tinyvit, 'head.norm'))


def shapes_of(weights: Dict[str, Tensor]) -> Shapes:
    """Shapes of tensors by name."""
    return OrderedDict((k, tuple(v.shape)) for k, v in weights.items())


def family_arguments(family: str, shapes: Shapes) -> Optional[dict]:
    """Arguments of a model by its tensors.

    Args:
        family (str): A key of ``FAMILIES``.
        shapes (dict[str, tuple]): By timm's names.

    Returns:
        dict, optional: ``model_name`` and what differs from that model's;
        None if a tensor that tells them is missing.
    """
    kind = FAMILIES[family]
    try:
        found = kind.read(shapes)
    except (LookupError, ZeroDivisionError):
        return None
    # TinyViT's first stage has neither heads nor windows
    alike = [
        _comparable(found) == _comparable(known)
        for known in kind.variants.values()
    ]
    if any(alike):
        return dict(model_name=list(kind.variants)[alike.index(True)])
    name, known = next(iter(kind.variants.items()))
    changes = {
        argument: value
        for argument, value, usual in zip(kind.arguments, found, known)
        if value != usual
    }
    return dict(model_name=name, **changes)


def _comparable(arguments: tuple) -> tuple:
    return arguments[:2] + tuple(
        value[1:] if isinstance(value, tuple) else value
        for value in arguments[2:])


def nearest_variant(family: str, shapes: Shapes) -> str:
    """The published model with which a file has most tensors in common."""
    kind = FAMILIES[family]

    def alike(name: str) -> int:
        own = kind.shapes(*kind.variants[name])
        same = sum(shapes.get(key) == shape for key, shape in own.items())
        return 2 * same - len(own)

    return max(kind.variants, key=alike)


def expected_shapes(family: str, model_name: str, **changes) -> Shapes:
    """Tensors of a model by timm's names, without norm and head."""
    kind = FAMILIES[family]
    usual = dict(zip(kind.arguments, kind.variants[model_name]))
    return kind.shapes(**{**usual, **changes})


def family_of(model_name: str) -> Optional[str]:
    """Family of one of timm's models; None if it is none of these."""
    return next((f for f in FAMILIES if model_name.startswith(f)), None)


def own_name(key: str) -> str:
    """timm's name to ``StrideMapBackbone``'s.

    Example:
        >>> own_name('stages.1.0.bn.weight')
        'timm_model.stages_1.0.bn.weight'
    """
    first, second, *rest = key.split('.')
    if first in ('stem', 'stages'):
        return '.'.join(['timm_model', f'{first}_{second}', *rest])
    return f'timm_model.{key}'


def timm_name(key: str) -> Optional[str]:
    """``StrideMapBackbone``'s name to timm's; None if timm has no such.

    Example:
        >>> timm_name('timm_model.stages_1.0.bn.weight')
        'stages.1.0.bn.weight'
    """
    if not key.startswith('timm_model.'):
        return None
    key = key[len('timm_model.'):]
    for part in ('stem_', 'stages_'):
        if key.startswith(part):
            return key.replace('_', '.', 1)
    return key


def official_name(key: str) -> str:
    """timm's name of a TinyViT's tensor to Microsoft's, MobileSAM's too.

    Example:
        >>> official_name('stages.1.downsample.conv2.conv.weight')
        'layers.0.downsample.conv2.c.weight'
        >>> official_name('patch_embed.conv2.bn.bias')
        'patch_embed.seq.2.bn.bias'
    """
    parts = key.replace('.conv.', '.c.').split('.')
    if parts[0] == 'patch_embed':
        parts[1:2] = ['seq', dict(conv1='0', conv2='2')[parts[1]]]
    elif parts[0] == 'stages':
        back = int(parts[2] == 'downsample')
        parts[:2] = ['layers', str(int(parts[1]) - back)]
    return '.'.join(parts)
