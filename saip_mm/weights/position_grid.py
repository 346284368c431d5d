"""Which grid a table of position embeddings belongs to."""
from typing import List, Optional, Tuple

Grid = Tuple[int, int]

MAX_ASPECT = 3  # tallest person grid considered: 384x128 pixels, 24x8 tokens


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
