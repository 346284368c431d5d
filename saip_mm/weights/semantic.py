"""SOLIDER's controllers, at a constant lambda, as part of a backbone."""
import re
from collections import OrderedDict
from typing import Dict, Optional

import torch.nn.functional as F
from torch import Tensor

# beside a backbone, whose prefix ends in 'backbone.'
CONTROLLERS = re.compile(r'controllers\.(\d+)\.(gain|shift)\.(weight|bias)')
# of a stage of TinyViT and of StarNet, that which ends its down-sampling
NORMS = ('timm_model.stages_{}.downsample.conv3.bn',
         'timm_model.stages_{}.0.bn')
# in the block of a plain transformer that they act behind
GAIN, SHIFT = 'affine_gain', 'affine_shift'
AFFINE = re.compile(rf'layers\.(\d+)\.({GAIN}|{SHIFT})')
DEFAULT_WEIGHT = 0.2  # SOLIDER's, of re-identification


def controllers_beside(weights: Dict[str, Tensor],
                       prefix: str) -> Dict[str, Tensor]:
    """Controllers of the encoder whose backbone has a prefix.

    Args:
        weights (dict[str, Tensor]): Of a training checkpoint.
        prefix (str): Such as 'encoder.backbone.'.

    Returns:
        dict[str, Tensor]: By names from 'controllers.' on; empty where there
        are none.
    """
    start = prefix[:-len('backbone.')]
    return {
        key[len(start):]: value
        for key, value in weights.items()
        if key.startswith(start) and CONTROLLERS.fullmatch(key[len(start):])
    }


def fold_controllers(backbone: Dict[str, Tensor],
                     controllers: Dict[str, Tensor],
                     weight: Optional[float] = None) -> Dict[str, Tensor]:
    """A backbone that is what its encoder was at a constant lambda.

    A controller is then a gain and a shift of channels. Behind the BatchNorm
    of a down-sampling they are merged into it, and nothing is to be seen of
    them. A plain transformer has no such place: they become buffers of their
    block, which ``GridVisionTransformer`` takes from the file.

    Args:
        backbone (dict[str, Tensor]): Without prefix.
        controllers (dict[str, Tensor]): Of :func:`controllers_beside`.
        weight (float, optional): Lambda in [0, 1]. Defaults to 0.2.

    Returns:
        dict[str, Tensor]: A new dict; other tensors are the same.

    Raises:
        ValueError: If lambda is out of range, or there are other places than
            are known.
    """
    weight = DEFAULT_WEIGHT if weight is None else weight
    if not 0 <= weight <= 1:
        raise ValueError('the semantic weight must be from 0 (looks) to 1 '
                         f'(parts), got {weight}')
    folded = OrderedDict(backbone)
    count = 1 + max(int(key.split('.')[1]) for key in controllers)
    for index in range(count):
        gain, shift = (
            _constant(controllers, index, name, weight)
            for name in ('gain', 'shift'))
        gain = F.softplus(gain)
        norm = next((form.format(index + 1) for form in NORMS
                     if f'{form.format(index + 1)}.weight' in folded), None)
        if norm is not None:
            key = f'{norm}.weight'
            folded[key] = folded[key] * gain.to(folded[key])
            key = f'{norm}.bias'
            folded[key] = folded[key] * gain.to(folded[key]) + shift.to(
                folded[key])
            continue
        block = _block(folded, index)
        folded[f'layers.{block}.{GAIN}'] = gain
        folded[f'layers.{block}.{SHIFT}'] = shift
    return folded


def _constant(controllers: Dict[str, Tensor], index: int, name: str,
              weight: float) -> Tensor:
    """``W [lambda, 1 - lambda] + b``"""
    name = f'controllers.{index}.{name}'
    matrix = controllers[f'{name}.weight']
    told = matrix.new_tensor((weight, 1 - weight))
    return matrix @ told + controllers[f'{name}.bias']


def controlled_blocks(depth: int) -> list:
    """Blocks of a plain transformer behind which controllers act.

    Args:
        depth (int): Number of its blocks.

    Example:
        >>> controlled_blocks(12)
        [2, 5, 8]
    """
    return sorted({max(round(depth * i / 4) - 1, 0) for i in (1, 2, 3)})


def _block(backbone: Dict[str, Tensor], index: int) -> int:
    numbers = [
        int(key.split('.')[1]) for key in backbone if key.startswith('layers.')
    ]
    blocks = controlled_blocks(max(numbers) + 1) if numbers else []
    if index >= len(blocks):
        raise ValueError(
            f'controller {index} acts at a place that is not known here: '
            'known are StarNet, TinyViT and plain transformers; its backbone '
            f'has names like {list(backbone)[:3]}')
    return blocks[index]
