"""A table of attributes: a picture a row, zeros and ones a column."""
import os
import os.path as osp
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

UNLABELLED = -1  # of a picture for which nobody said


class LabelTable(NamedTuple):
    """What a data set says of its pictures.

    Attributes:
        names (tuple[str]): Of the M attributes.
        images (list[str]): Paths of the N pictures.
        labels (np.ndarray): ``(N, M)`` int8: 1, 0, or -1 where nobody said.
        pids (np.ndarray, optional): ``(N, )`` numbers of the persons.
    """
    names: Tuple[str, ...]
    images: List[str]
    labels: np.ndarray
    pids: Optional[np.ndarray] = None

    def select(self, names: Sequence[str], source: str) -> 'LabelTable':
        """Some of the attributes, in an order of one's own.

        Raises:
            ValueError: If the table lacks one.
        """
        missing = [name for name in names if name not in self.names]
        if missing:
            raise ValueError(
                f'{source} has no attribute {_list(missing)}; it has '
                f'{_list(self.names)}: correct metainfo.classes')
        columns = [self.names.index(name) for name in names]
        return self._replace(
            names=tuple(names), labels=self.labels[:, columns])

    def rows(self, which: np.ndarray) -> 'LabelTable':
        """Some of the pictures."""
        return self._replace(
            images=[self.images[row] for row in which],
            labels=self.labels[which],
            pids=None if self.pids is None else self.pids[which])


def check_values(labels: np.ndarray,
                 names: Sequence[str],
                 source: str,
                 rows: Optional[Sequence[int]] = None,
                 two_is_zero: bool = False) -> np.ndarray:
    """Labels as int8, if they are 0, 1 or, for unlabelled, -1.

    Args:
        labels (np.ndarray): ``(N, M)`` numbers.
        names (Sequence[str]): Of the M attributes, for the error.
        source (str): File and variable, for the error.
        rows (Sequence[int], optional): Number of each row there, for the
            error. Defaults to None: counted from 0.
        two_is_zero (bool): Whether 2 is read as 0, as the field's code reads
            "cannot be seen". Defaults to False.

    Raises:
        ValueError: Names attribute, value and row.
    """
    allowed = (0, 1, UNLABELLED, 2) if two_is_zero else (0, 1, UNLABELLED)
    wrong = np.argwhere(~np.isin(labels, allowed))
    if len(wrong):
        row, column = wrong[0]
        number = row if rows is None else rows[row]
        raise ValueError(
            f"{source}: attribute '{names[column]}' has value "
            f'{labels[row, column]} in row {number} (and {len(wrong) - 1} '
            'others): an attribute is 1 or 0, or -1 where nobody said')
    return np.where(labels == 2, 0, labels).astype(np.int8)


def check_names(names: Sequence, source: str) -> Tuple[str, ...]:
    """Refuse what is no list of different names.

    Raises:
        ValueError: Names the first that is none, or comes again.
    """
    if not isinstance(names, (list, tuple)) or not names:
        raise ValueError(f'{source} is {names!r}: name the attributes in the '
                         "order of their columns, ('hat', 'backpack')")
    names = tuple(names)
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f'{source} holds {name!r}, no name')
        if names.count(name) > 1:
            raise ValueError(f"{source} names '{name}' twice: each column "
                             'has a name of its own')
    return names


def label_ratio(labels: np.ndarray) -> np.ndarray:
    """Share of positives of each attribute among what is labelled.

    Args:
        labels (np.ndarray): ``(N, M)`` int8.

    Returns:
        np.ndarray: ``(M, )`` float64; 0 where nothing is labelled.

    Example:
        >>> label_ratio(np.array([[1, 0], [0, -1], [1, 0], [0, 0]]))
        array([0.5, 0. ])
    """
    known = (labels != UNLABELLED).sum(0)
    return (labels == 1).sum(0) / np.maximum(known, 1)


def one_sided(names: Sequence[str], ratio: np.ndarray) -> str:
    """Attributes that all pictures have, or none; '' if there are no such.

    Example:
        >>> one_sided(('hat', 'shoes', 'bag'), np.array([0, 1, .5]))
        'no picture has hat; all have shoes'
    """
    none = [name for name, share in zip(names, ratio) if share == 0]
    every = [name for name, share in zip(names, ratio) if share == 1]
    return '; '.join(f'{what} {_list(some)}'
                     for what, some in (('no picture has', none),
                                        ('all have', every)) if some)


def repeated_images(table: LabelTable) -> str:
    """How many pictures come again in a table, and which; '' if none does.

    Example:
        >>> labels = np.array([[1], [0], [0]])
        >>> repeated_images(LabelTable(('hat', ), ['a', 'b', 'a'], labels))
        'pictures come again: 1, 1 of them with other labels, first a'
    """
    first: Dict[str, int] = {}
    again = [(path, row) for row, path in enumerate(table.images)
             if first.setdefault(path, row) != row]
    if not again:
        return ''
    other = [
        path for path, row in again
        if (table.labels[row] != table.labels[first[path]]).any()
    ]
    name = other[0] if other else again[0][0]
    return (f'pictures come again: {len(again)}, {len(other)} of them with '
            f'other labels, first {name}')


def missing_images(paths: Sequence[str]) -> List[str]:
    """Pictures that are not there; each folder is listed once."""
    folders: Dict[str, Set[str]] = {}
    missing = []
    for path in paths:
        folder, name = osp.split(path)
        if folder not in folders:
            there = osp.isdir(folder or '.')
            folders[folder] = set(os.listdir(folder or '.') if there else ())
        if name not in folders[folder]:
            missing.append(path)
    return missing


def _list(names: Sequence[str], most: int = 12) -> str:
    rest = f' and {len(names) - most} more' if len(names) > most else ''
    return ', '.join(names[:most]) + rest
