"""TransReID's additions to a vision transformer: cameras, shuffled parts."""
import copy
from typing import List, Sequence

import torch
from torch import Tensor, nn


class CameraEmbedding(nn.Module):
    """Side information: a trained vector a camera, added to all tokens.

    Args:
        num_cams (int): Cameras of the training set.
        width (int): D of the tokens.
        weight (float): Factor of the vectors. Defaults to 3.0.

    Raises:
        ValueError: If there is one camera, which tells nothing apart.

    Source:
        SIE of He et al., TransReID, 2021.
    """

    def __init__(self, num_cams: int, width: int, weight: float = 3.0) -> None:
        super().__init__()
        if num_cams < 2:
            raise ValueError(f'SIE needs at least 2 cameras, got num_cams='
                             f'{num_cams}: leave model.sie out')
        self.weight = weight
        self.table = nn.Parameter(torch.empty(num_cams, 1, width))
        nn.init.trunc_normal_(self.table, std=0.02)

    def forward(self, cams: Sequence[int]) -> Tensor:
        """``(B, 1, D)`` of B cameras, counted from 0, see :meth:`check`."""
        self.check(cams)
        return self.weight * self.table[list(cams)]

    def check(self, cams: Sequence[int]) -> None:
        """Refuse cameras without a vector.

        Raises:
            ValueError: If one was not seen in training.
        """
        unknown = [cam for cam in cams if not 0 <= cam < len(self.table)]
        if unknown:
            raise ValueError(
                f'SIE: camera {unknown[0] + 1} (counted from 1) was not seen '
                f'in training ({len(self.table)} cameras): set model.sie.'
                'num_cams, or leave model.sie out')


def shift_and_shuffle(tokens: Tensor, shift: int = 5) -> Tensor:
    """Mix the places of patches, so that each part sees the whole body.

    The first ``shift - 1`` go to the end; then the two halves are
    interleaved. Before that an odd number is made even by the last but one,
    once more.

    Args:
        tokens (Tensor): ``(B, L, D)`` patch tokens.
        shift (int): Defaults to 5.

    Returns:
        Tensor: ``(B, L or L + 1, D)``.

    Example:
        >>> tokens = torch.arange(1, 10)[None, :, None]
        >>> shift_and_shuffle(tokens).flatten().tolist()
        [5, 1, 6, 2, 7, 3, 8, 4, 9, 3]
    """
    tokens = tokens.roll(1 - shift, 1)
    if tokens.shape[1] % 2:
        tokens = torch.cat((tokens, tokens[:, -2:-1]), 1)
    return tokens.unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2)


class JigsawBranches(nn.Module):
    """Features of shuffled parts, by a last block and norm of their own.

    Args:
        layer (nn.Module): Last block of the transformer; copied.
        norm (nn.Module): Its final norm; copied.
        shift (int): See :func:`shift_and_shuffle`. Defaults to 5.
        divide (int): Number of parts. Defaults to 4.

    Source:
        JPM of He et al., TransReID, 2021. There the whole picture's branch
        has copies as well, and the originals learn nothing; here it has the
        originals.
    """

    def __init__(self,
                 layer: nn.Module,
                 norm: nn.Module,
                 shift: int = 5,
                 divide: int = 4) -> None:
        super().__init__()
        self.shift, self.divide = shift, divide
        self.layer, self.norm = copy.deepcopy(layer), copy.deepcopy(norm)

    def copy_start(self, layer: nn.Module, norm: nn.Module) -> None:
        """Start from what the transformer starts from."""
        self.layer.load_state_dict(layer.state_dict())
        self.norm.load_state_dict(norm.state_dict())

    def forward(self, tokens: Tensor) -> List[Tensor]:
        """One feature a part.

        Args:
            tokens (Tensor): ``(B, 1 + L, D)`` before the last block, class
                token first.

        Returns:
            list[Tensor]: ``(B, D)`` of each part.
        """
        length = (tokens.shape[1] - 1) // self.divide
        if not length:
            raise ValueError(f'jpm cannot cut {tokens.shape[1] - 1} patches '
                             f'into {self.divide} parts: enlarge the pictures')
        mixed = shift_and_shuffle(tokens[:, 1:], self.shift)
        parts = mixed[:, :length * self.divide].split(length, 1)
        # all parts in one pass: no token sees those of another part
        stacked = torch.cat(
            [torch.cat((tokens[:, :1], part), 1) for part in parts])
        out = self.norm(self.layer(stacked)[:, 0])
        return list(out.split(len(tokens)))
