"""Whether a plain transformer's last block was trained at all."""
from statistics import median
from typing import Dict, List, Optional, Sequence

from torch import Tensor

from .key_maps import CLASS_POSITION, vit_depth

# of the last block's norm to the median: below it, it is close to nothing
UNTRAINED = 0.3


def last_block_ratio(weights: Dict[str, Tensor]) -> Optional[float]:
    """Norm of the last block's queries, keys and values over the median's.

    PATH's tasks read its blocks 0 to 10 of 12. The last gets no gradient, but
    its weights decay: to about 3 % of what they began with, by its schedule.

    Args:
        weights (dict[str, Tensor]): Of a plain transformer, by mmpretrain's
            names.

    Returns:
        float, optional: None with fewer than three blocks.

    Example:
        >>> import torch
        >>> sizes = (1., 1., 1., 0.03)
        >>> weights = {f'layers.{i}.attn.qkv.weight': torch.full((6, 2), size)
        ...            for i, size in enumerate(sizes)}
        >>> round(last_block_ratio(weights), 2)
        0.03
    """
    depth = vit_depth(weights)
    if depth < 3:
        return None
    norms = [
        float(weights[f'layers.{i}.attn.qkv.weight'].float().norm())
        for i in range(depth)
    ]
    middle = median(norms)
    return norms[-1] / middle if middle else None


def say_last_block(ratio: Optional[float], depth: int) -> Optional[str]:
    """A line on that ratio for people; None where there is no ratio."""
    if ratio is None:
        return None
    line = f'{ratio:.2f} of the norm of the others (attention, block ' \
        f'{depth - 1})'
    if ratio < UNTRAINED:
        line += (f': it was hardly trained; as an expert take out_index='
                 f'{depth - 2}, final_norm=False')
    return line


def path_untrained(weights: Dict[str, Tensor],
                   backbone: Dict[str, Tensor]) -> List[str]:
    """Names of what PATH's tasks did not train: last block and last norm.

    Args:
        weights (dict[str, Tensor]): By the file's names. PATH's alone keep
            the position of the class token apart.
        backbone (dict[str, Tensor]): By mmpretrain's names.

    Returns:
        list[str]: Of mmpretrain's; empty for other files.

    Source:
        PATH's code, whose neck reads the embedding and all blocks but the
        last.
    """
    if CLASS_POSITION not in weights:
        return []
    last = f'layers.{vit_depth(backbone) - 1}.'
    return [key for key in backbone if key.startswith((last, 'ln1.'))]


def last_trained(untrained: Sequence[str], depth: int) -> int:
    """Index of the last block that was trained, of ``depth``.

    Example:
        >>> last_trained(['layers.11.attn.qkv.weight', 'ln1.bias'], 12)
        10
        >>> last_trained([], 12)
        11
    """
    index = depth - 1
    while index > 0 and f'layers.{index}.attn.qkv.weight' in untrained:
        index -= 1
    return index
