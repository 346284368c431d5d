"""CIHP's parts, and one number for a person and a part.

A map of numbers v = K (h - 1) + c says of each pixel which person h (from 1
on) it shows and which part c (1 to K - 1, of K with the background); 0 is
neither. It is CIHP's instance number, and one map carries what would be a
mask for each person, through every transform.
"""
from typing import Sequence, Tuple

import numpy as np

PARTS = ('Background', 'Hat', 'Hair', 'Glove', 'Sunglasses', 'UpperClothes',
         'Dress', 'Coat', 'Socks', 'Pants', 'Torso-skin', 'Scarf', 'Skirt',
         'Face', 'Left-arm', 'Right-arm', 'Left-leg', 'Right-leg', 'Left-shoe',
         'Right-shoe')
NUM_PARTS = len(PARTS)
# LIP's, whose part 10 is another
PALETTE = ((0, 0, 0), (128, 0, 0), (255, 0, 0), (0, 85, 0), (170, 0, 51),
           (255, 85, 0), (0, 0, 85), (0, 119, 221), (85, 85, 0), (0, 85, 85),
           (85, 51, 0), (52, 86, 128), (0, 128, 0), (0, 0, 255),
           (51, 170, 221), (0, 255, 255), (85, 255, 170), (170, 255, 85),
           (255, 255, 0), (255, 170, 0))
# arms, legs and shoes of the person, which a mirror exchanges
FLIP_PAIRS = ((14, 15), (16, 17), (18, 19))


def named_source(parts: Sequence[str]) -> str:
    """Who has these parts, to be named in errors.

    Example:
        >>> named_source(PARTS), named_source(('background', 'head'))
        ('CIHP', "metainfo['parts']")
    """
    return 'CIHP' if tuple(parts) == PARTS else "metainfo['parts']"


def join_maps(parts: np.ndarray,
              humans: np.ndarray,
              num_parts: int = NUM_PARTS) -> np.ndarray:
    """One map of persons and parts.

    Args:
        parts (np.ndarray): ``(H, W)`` integers below ``num_parts``.
        humans (np.ndarray): ``(H, W)`` persons from 1 on, 0 nobody.
        num_parts (int): K, with the background. Defaults to CIHP's 20.

    Returns:
        np.ndarray: ``(H, W)`` int32, 0 where either is 0.

    Example:
        >>> join_maps(np.array([[5, 2, 0, 9]]), np.array([[1, 3, 1, 0]]))
        array([[ 5, 42,  0,  0]], dtype=int32)
    """
    joined = (humans.astype(np.int32) - 1) * num_parts + parts
    return np.where((parts > 0) & (humans > 0), joined, 0).astype(np.int32)


def split_map(joined, num_parts: int = NUM_PARTS) -> tuple:
    """Parts and persons of :func:`join_maps`; tensors are taken, too.

    Returns:
        tuple: Parts, and persons counted from 1, 0 nobody, each in the form
        of ``joined``.

    Example:
        >>> split_map(np.array([5, 42, 0]))
        (array([5, 2, 0]), array([1, 3, 0]))
    """
    return joined % num_parts, (joined // num_parts + 1) * (joined > 0)


def mirrored_parts(pairs: Sequence[Tuple[int, int]],
                   num_parts: int = NUM_PARTS) -> np.ndarray:
    """Part which a mirror makes of each.

    Args:
        pairs (Sequence[tuple[int, int]]): Left and right.
        num_parts (int): K. Defaults to CIHP's 20.

    Returns:
        np.ndarray: ``(K, )`` int32.

    Example:
        >>> mirrored_parts([(1, 2)], 4)
        array([0, 2, 1, 3], dtype=int32)
    """
    order = np.arange(num_parts, dtype=np.int32)
    for left, right in pairs:
        order[[left, right]] = right, left
    return order
