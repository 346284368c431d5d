"""Which grid a table of position embeddings belongs to."""
from typing import List, Optional, Tuple

from torch import Tensor

Grid = Tuple[int, int]

MAX_ASPECT = 3  # tallest person grid considered: 384x128 pixels, 24x8 tokens
# of the change from row to row by another grid to that by the assumed one:
# below it the table itself speaks for the other. Random tables give 1
CLEARLY = 0.8


def candidate_grids(tokens: int) -> List[Grid]:
    """Upright grids of so many tokens.

    Args:
        tokens (int): Number of patches.

    Returns:
        list[tuple[int, int]]: Rows and columns with 1 <= h / w <= 3, by
        ascending height.

    Example:
        >>> candidate_grids(128)
        [(16, 8)]
        >>> candidate_grids(192)
        [(16, 12), (24, 8)]
    """
    return [
        (tokens // columns, columns) for columns in range(tokens, 0, -1)
        if tokens %
        columns == 0 and columns <= tokens // columns <= MAX_ASPECT * columns
    ]


def table_layout(length: int,
                 has_class_token: bool,
                 grid: Optional[Grid] = None,
                 key: str = 'pos_embed') -> Tuple[Grid, int]:
    """Tell the grid and the class slots of a position table.

    Args:
        length (int): Rows of the table: patches, with or without one slot in
            front for a class token.
        has_class_token (bool): Whether the checkpoint has a class token; it
            decides about the slot where the grid is not known.
        grid (tuple[int, int], optional): Rows and columns of patches, where
            known. Defaults to None: the only upright grid that fits.
        key (str): Name of the table, for the error.

    Returns:
        tuple: Grid ``(h, w)`` and number of class slots, 0 or 1.

    Raises:
        ValueError: If ``grid`` does not fit the length, or if it is not
            known and several upright grids fit, or none.

    Example:
        >>> table_layout(129, True)
        ((16, 8), 1)
        >>> table_layout(128, True, grid=(8, 16))  # its class token has none
        ((8, 16), 0)
    """
    if grid is not None:
        rows, columns = (int(side) for side in grid)
        slots = length - rows * columns
        if min(rows, columns) < 1 or slots not in (0, 1):
            raise ValueError(
                f'{key} holds {length} positions, but its grid is said to be '
                f'{rows}x{columns}, which makes {rows * columns} (or one more '
                'with a class token): correct the grid, checkpoint_grid='
                "(rows, columns) on the backbone or the file's pos_grid or "
                "meta['position_grid']")
        return (rows, columns), slots
    slots = int(has_class_token)
    grids = candidate_grids(length - slots)
    if len(grids) == 1:
        return grids[0], slots
    named = ' or '.join(f'{rows}x{columns}' for rows, columns in grids)
    raise ValueError(
        f'{key} holds {length - slots} patch positions, which may be a grid '
        f'of {named or "no upright shape up to 3:1"}: say which with '
        'checkpoint_grid=(rows, columns) on the backbone (--grid rows '
        'columns with the converter)')


def check_orientation(table: Tensor, grid: Grid, slots: int, key: str) -> None:
    """Refuse an upright grid where the positions lie in another.

    Eight rows of sixteen and sixteen rows of eight have equally many
    positions. Learnt and sine-cosine tables tell them apart: from a position
    to the one below it they change less than to one elsewhere.

    Args:
        table (Tensor): ``(1, slots + h * w, D)``.
        grid (tuple[int, int]): What nothing but the number of positions
            speaks for.
        slots (int): Rows in front that are no patches'.
        key (str): Name of the table, for the error.

    Raises:
        ValueError: If another grid with sides up to 3:1 fits clearly better.
            A table that was never trained shows nothing and passes.

    Example:
        >>> import torch
        >>> places = torch.cartesian_prod(torch.arange(8), torch.arange(16))
        >>> table = places[None]
        >>> check_orientation(table, (8, 16), 0, 'pos_embed')
        >>> check_orientation(table, (16, 8), 0, 'pos_embed')
        Traceback (most recent call last):
        ValueError: pos_embed holds 128 patch positions that lie like 8x16, \
not 16x8: say which with checkpoint_grid=(8, 16) on the backbone (--grid 8 16 \
with the converter)
    """
    positions = table[0, slots:].float()
    total = len(positions)
    assumed = _change_downwards(positions, grid[1])
    for upright in candidate_grids(total):
        for rows, columns in (upright, upright[::-1]):
            if (rows, columns) == tuple(grid):
                continue
            other = _change_downwards(positions, columns)
            if other < CLEARLY * assumed:
                raise ValueError(
                    f'{key} holds {total} patch positions that lie like '
                    f'{rows}x{columns}, not {grid[0]}x{grid[1]}: say which '
                    f'with checkpoint_grid=({rows}, {columns}) on the '
                    f'backbone (--grid {rows} {columns} with the converter)')


def _change_downwards(positions: Tensor, columns: int) -> float:
    """Mean squared difference of a position and the one below it."""
    if columns >= len(positions):
        return float('inf')
    return float((positions[columns:] - positions[:-columns]).square().mean())
