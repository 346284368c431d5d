from typing import Tuple

import torch
from torch import Tensor


def sincos_positions(grid: Tuple[int, int],
                     dims: int,
                     temperature: float = 10000.) -> Tensor:
    """2-D sine-cosine positions of a token grid, row by row.

    mmpretrain's helper of this kind fills non-square grids column by column,
    which scrambles the geometry of a person-shaped grid.

    Args:
        grid (tuple[int, int]): Rows and columns.
        dims (int): Width; a multiple of 4. The first half encodes the column,
            the second the row, each as sines then cosines.
        temperature (float): Base of the frequencies. Defaults to 10000.

    Returns:
        Tensor: ``(1, h * w, dims)`` float32.

    Raises:
        ValueError: If ``dims`` is no multiple of 4.
    """
    if dims % 4:
        raise ValueError(f'2-D positions need a width divisible by 4, got '
                         f'{dims}')
    omega = temperature**(-torch.arange(dims // 4, dtype=torch.float64) /
                          (dims // 4))
    rows, columns = torch.meshgrid(
        *(torch.arange(side, dtype=torch.float64) for side in grid),
        indexing='ij')
    parts = []
    for axis in (columns, rows):
        angle = axis.flatten()[:, None] * omega
        parts += [angle.sin(), angle.cos()]
    return torch.cat(parts, 1).float()[None]
