"""Flat shapes with a place in depth: what figures and things are made of."""
from dataclasses import dataclass
from typing import Optional, Sequence, Tuple, Union

import numpy as np

from .palette import RGB

# Two half circles as complex numbers: from the left normal backwards, on.
_BACK = np.exp(1j * np.linspace(np.pi / 2, 3 * np.pi / 2, 8))
_ROUND = np.concatenate((_BACK, -_BACK))
_CIRCLE = np.exp(1j * np.linspace(0, 2 * np.pi, 22, endpoint=False))


@dataclass
class Paint:
    """Colour, pattern and the axis along which a shape is shaded.

    Args:
        rgb (tuple): 0..255.
        origin, axis (complex): Start of the axis and its unit vector.
        half (float): Half width across the axis, in pixels; brightness
            falls off towards both edges, as on a cylinder.
        second (tuple): Second colour of a pattern.
        pattern (str): See ``identity.PATTERNS``; 'side stripe' as well.
        scale (float): Pixels a metre, so that patterns have a real size.
        phase (float): Shifts the pattern.
        gloss (float): 0 flat, 1 full shading. Defaults to 1.
    """
    rgb: RGB
    origin: complex = 0j
    axis: complex = 1j
    half: float = 1.
    second: RGB = (0, 0, 0)
    pattern: str = 'plain'
    scale: float = 100.
    phase: float = 0.
    gloss: float = 1.


@dataclass
class Layer:
    """One shape.

    Args:
        points (np.ndarray | tuple): ``(N,)`` complex outline, x + iy in
            pixels, or several whose union is meant.
        paint (Paint): How it is filled.
        depth (float): Larger is nearer to the camera.
        region (str): Part of the body it covers ('left_forearm', 'torso',
            'head' ...), 'carried' or 'thing'.
        label (int): LIP class, 0 for what is none.
        garments (tuple[str]): Garments and garment parts it belongs to.
        opacity (float): 1 hides what is behind. Defaults to 1.
        owner (int): Person in the scene, -1 for things. Set by the scene.
    """
    points: Union[np.ndarray, Tuple[np.ndarray, ...]]
    paint: Paint
    depth: float
    region: str
    label: int = 0
    garments: Tuple[str, ...] = ()
    opacity: float = 1.
    owner: int = -1


def capsule(a: complex, b: complex, ra: float, rb: float) -> np.ndarray:
    """Outline of a limb: two circles and their common sides.

    Example:
        >>> points = capsule(0j, 10 + 0j, 2., 1.)
        >>> float(points.real.min().round(2)), float(points.imag.max())
        (-1.95, 2.0)
    """
    along = b - a
    length = abs(along)
    axis = along / length if length > 1e-6 else 1j
    points = axis * _ROUND
    points[:8] *= ra
    points[:8] += a
    points[8:] *= rb
    points[8:] += b
    return points


def tube(centres: Sequence[complex],
         halves: Sequence[float],
         across: Optional[complex] = None) -> np.ndarray:
    """Outline through centres of given half widths.

    Args:
        centres (list[complex]): From one end to the other.
        halves (list[float]): Half width at each.
        across (complex, optional): Unit vector of the width. Defaults to
            the normal of the line from first to last centre.
    """
    centres = np.asarray(centres)
    if across is None:
        along = centres[-1] - centres[0]
        across = 1j * along / max(abs(along), 1e-6)
    offset = np.asarray(halves) * across
    return np.concatenate((centres + offset, (centres - offset)[::-1]))


def ellipse(centre: complex,
            half_x: float,
            half_y: float,
            axis: complex = 1 + 0j) -> np.ndarray:
    """Outline of an ellipse whose x axis points along ``axis``."""
    return centre + axis * (half_x * _CIRCLE.real + 1j * half_y * _CIRCLE.imag)
