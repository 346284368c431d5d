"""Tables of what a model does, beside its random start."""
from typing import List, Optional, Sequence, Tuple


def starts(checkpoint: Optional[str]) -> List[Tuple[str, Optional[str]]]:
    """Rows of a report: name and checkpoint, None for the random start."""
    rows = [('random start', None)]
    return rows if checkpoint is None else rows + [('model', checkpoint)]


def table(head: str, columns: Sequence[str], rows: Sequence[tuple]) -> str:
    """A table in plain text.

    Args:
        head (str): A line above it.
        columns (Sequence[str]): Their names.
        rows (Sequence[tuple]): A name and numbers; None, and what is left
            out at the end, stays empty.

    Example:
        >>> print(table('2 pictures', ['AUC'], [('chance', 50)]))
        2 pictures
                                         AUC
        chance                          50.0
    """
    lines = [head, ' ' * 24 + ''.join(f'{name:>12}' for name in columns)]
    for name, *values in rows:
        cells = (' ' * 12 if v is None else f'{float(v):12.1f}'
                 for v in values)
        lines.append(f'{name:24}' + ''.join(cells))
    return '\n'.join(lines)
