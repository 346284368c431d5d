"""A batch of pictures and sentences on their way to the heads."""
from typing import NamedTuple

import torch
from mmengine.dist import all_gather, get_world_size
from torch import Tensor
from torch.distributed.nn.functional import all_gather as gather_with_grad


class Pairs(NamedTuple):
    """B pictures with a sentence each.

    Attributes:
        images (Tensor): ``(B, 1 + L, D)``, the vector of the picture first.
        sentences (Tensor): ``(B, D)``, a vector a sentence.
        masked (Tensor): ``(B, T, D)``, tokens of the sentences with hidden
            words.
        words (Tensor): ``(B, T)`` int64, ids of the words to be told, 0
            elsewhere.
        persons (Tensor): ``(B, )`` int64.
    """
    images: Tensor
    sentences: Tensor
    masked: Tensor
    words: Tensor
    persons: Tensor


def gathered(x: Tensor) -> Tensor:
    """Rows of all processes, which have equally many; gradients flow.

    A process's gradient is the sum over all of them, which DDP's mean over
    processes turns into that of the whole batch.
    """
    if get_world_size() == 1:
        return x
    if not x.requires_grad:
        return torch.cat(all_gather(x))
    return torch.cat(gather_with_grad(x.contiguous()))
