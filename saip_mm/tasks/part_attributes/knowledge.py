"""How often a category has an attribute: KE-RCNN's explicit knowledge."""
import io
import json
import os.path as osp
from datetime import date
from typing import Tuple

import numpy as np

from saip_mm.datasets.fashion_taxonomy import ATTRIBUTES, CATEGORIES
from saip_mm.weights import file_sha256, write_file
from .fashion_file import read_fashion

NORMS = ('category', 'row', 'col', 'binary', 'log')
SHAPE = (len(CATEGORIES), len(ATTRIBUTES))
TOOL = 'tools/dataset_converters/fashionpedia_knowledge.py'


def count_attributes(path: str) -> Tuple[np.ndarray, np.ndarray]:
    """Count objects and their attributes in an annotation file.

    Args:
        path (str): ``instances_attributes_train2020.json`` say.

    Returns:
        tuple[np.ndarray, np.ndarray]: ``(46, 294)`` objects of a category
        that have an attribute, and ``(46, )`` objects of a category; int64.
        Crowds, which nothing learns from, are not counted.
    """
    pairs, objects = np.zeros(SHAPE, np.int64), np.zeros(SHAPE[0], np.int64)
    for annotation in read_fashion(path).annotations:
        if not annotation['iscrowd']:
            category = annotation['category_id']
            objects[category] += 1
            pairs[category, annotation['attributes']] += 1
    return pairs, objects


def normalise(pairs: np.ndarray,
              objects: np.ndarray,
              norm: str = 'category') -> np.ndarray:
    """Make the knowledge matrix of counts; rows without counts are zero.

    Args:
        pairs (np.ndarray): ``(C, A)``, see :func:`count_attributes`.
        objects (np.ndarray): ``(C, )``.
        norm (str): 'category': share of a category's objects that have the
            attribute. 'row': its share of the category's attributes; a row
            sums to 1. 'col': the category's share of the attribute; a column
            sums to 1. 'binary': whether it occurs. 'log': the logarithm of 1
            + count, over the largest. Defaults to 'category'.

    Returns:
        np.ndarray: ``(C, A)`` float32 in [0, 1]; above 0 for the same pairs,
        whatever the norm.

    Raises:
        ValueError: If ``norm`` is unknown.

    Source:
        KE-RCNN does not say how its matrix is normalised.

    Example:
        >>> pairs, objects = np.array([[3, 1], [0, 0]]), np.array([4, 2])
        >>> normalise(pairs, objects)
        array([[0.75, 0.25],
               [0.  , 0.  ]], dtype=float32)
    """
    if norm not in NORMS:
        raise ValueError(f'norm must be one of {NORMS}, got {norm!r}')
    whole = dict(
        category=objects[:, None],
        row=pairs.sum(1, keepdims=True),
        col=pairs.sum(0, keepdims=True)).get(norm, np.ones((1, 1)))
    if norm == 'binary':
        pairs = pairs > 0
    elif norm == 'log':
        pairs = np.log1p(pairs)
        whole = np.full((1, 1), pairs.max())
    return (pairs / np.maximum(whole,
                               np.finfo(np.float32).tiny)).astype(np.float32)


def write_knowledge(ann_file: str, out: str, norm: str = 'category') -> dict:
    """Count, normalise and save, with a note of what it was made from.

    Args:
        ann_file (str): Annotations of training.
        out (str): ``.npy`` file; ``out + '.json'`` is the note.
        norm (str): See :func:`normalise`.

    Returns:
        dict: The note: ``source``, ``sha256``, ``date``, ``norm``,
        ``objects``, ``pairs`` (of category and attribute that occur).

    Raises:
        ValueError: If nothing is labelled, ``out`` is no ``.npy``, or the
            annotations are malformed.
        OSError: If a file cannot be read or written.
    """
    if not out.endswith('.npy'):
        raise ValueError(f"'{out}' must be named .npy")
    pairs, objects = count_attributes(ann_file)
    if not pairs.any():
        raise ValueError(f'{ann_file}: no object has an attribute')
    content = io.BytesIO()
    np.save(content, normalise(pairs, objects, norm), allow_pickle=False)
    note = dict(
        source=osp.basename(ann_file),
        sha256=file_sha256(ann_file),
        date=date.today().isoformat(),
        norm=norm,
        objects=int(objects.sum()),
        pairs=int((pairs > 0).sum()))
    write_file(out, content.getvalue())
    write_file(f'{out}.json', (json.dumps(note, indent=2) + '\n').encode())
    return note


def read_knowledge(path: str, shape: Tuple[int, int] = SHAPE) -> np.ndarray:
    """Read a knowledge matrix.

    Args:
        path (str): ``.npy`` file of numbers.
        shape (tuple[int, int]): Categories and attributes that it must have.

    Returns:
        np.ndarray: float32.

    Raises:
        ValueError: If it is no such file, of another shape, or holds what is
            negative or no finite number.
    """
    try:
        matrix = np.load(path, allow_pickle=False)
        matrix = np.asarray(matrix, np.float32)
    except (ValueError, TypeError, EOFError) as error:
        raise ValueError(f'{path} is no .npy file of numbers: make it anew '
                         f'with {TOOL}') from error
    if matrix.shape != tuple(shape):
        raise ValueError(f'{path}: knowledge matrix is {matrix.shape}, '
                         f'expected {tuple(shape)}')
    wrong = ~np.isfinite(matrix) | (matrix < 0)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(
            f'{path}: knowledge of category {row} and attribute number '
            f'{column} is {matrix[row, column]}, expected 0 or more')
    return matrix
