"""Hiding words of a sentence, to be told from the picture."""
from typing import Tuple

import torch
from torch import Tensor

HIDDEN, RANDOM = 0.8, 0.1  # shares of the words chosen; the rest stays


def mask_words(ids: Tensor,
               mask: int,
               prob: float = 0.15) -> Tuple[Tensor, Tensor]:
    """Choose words, hide most of them.

    Of the words chosen 80 % become the mask, 10 % a random word, 10 % stay.
    A sentence of which none is chosen has its first one hidden.

    Args:
        ids (Tensor): ``(B, L)`` int64 of :class:`CaptionTokenizer`; words are
            the ids between 0 and ``mask``, both excluded.
        mask (int): Id of the mask.
        prob (float): Chance of a word to be chosen. Defaults to 0.15.

    Returns:
        tuple[Tensor, Tensor]: ``(B, L)`` the masked ids, and the ids of the
        chosen words, 0 elsewhere. ``ids`` stays as it is.

    Source:
        BERT's law (Devlin et al. 2019) by one draw a word, as IRRA has it.

    Example:
        >>> ids = torch.tensor([[98, 5, 7, 99, 0]])
        >>> mask_words(ids, mask=97, prob=0.)
        (tensor([[98, 97,  7, 99,  0]]), tensor([[0, 5, 0, 0, 0]]))
    """
    word = (ids > 0) & (ids < mask)
    draw = torch.rand(ids.shape, device=ids.device)
    chosen = word & (draw < prob)
    share = draw / max(prob, 1e-12)
    other = torch.randint(1, mask, ids.shape, device=ids.device)
    hidden = chosen & (share < HIDDEN)
    # the first word: an id of 0 is a piece too ('!' inside a word), as CLIP
    # has it, and cannot be told
    none = (~chosen.any(1) & word.any(1)).nonzero().flatten()
    first = word[none].float().argmax(1)
    chosen[none, first] = hidden[none, first] = True
    random = chosen & ~hidden & (share < HIDDEN + RANDOM)
    masked = torch.where(random, other, ids).masked_fill(hidden, mask)
    return masked, ids * chosen
