"""Painting: anti-aliased, shaded shapes and the map of what is where."""
from dataclasses import dataclass
from functools import lru_cache
from typing import List, Optional

import cv2
import numpy as np

from ..people.layers import Layer, Paint

SHIFT = 4  # sub-pixel bits of OpenCV's drawing
TILE = 1024
FLAT = 200  # pixels; smaller shapes are not shaded
RAMP = np.arange(TILE, dtype=np.float32)


@lru_cache(maxsize=None)
def grain_tile() -> np.ndarray:
    """Cloth-like noise, mean 0, about -1 to 1, ``(TILE, TILE)`` float32.

    Pictures may not be larger than this.

    The same in every process: it is not part of what a seed chooses.
    """
    rng = np.random.default_rng(7)
    tile = np.zeros((TILE, TILE), np.float32)
    for step, weight in ((32, .42), (12, .35), (2, .16), (1, .10)):
        size = TILE // step + 1
        rough = rng.standard_normal((size, size)).astype(np.float32)
        tile += weight * cv2.resize(
            rough, (TILE, TILE), interpolation=cv2.INTER_CUBIC)
    return tile


@dataclass
class Rendered:
    """A painted scene.

    Args:
        planes (np.ndarray): ``(3, H, W)`` float32, RGB, 0..255.
        ids (np.ndarray, optional): ``(H, W)`` uint16: number of the layer
            seen, counted from 1; 0 is the background.
        layers (list[Layer]): The layers, in painting order.
    """
    planes: np.ndarray
    ids: Optional[np.ndarray]
    layers: List[Layer]

    @property
    def image(self) -> np.ndarray:
        """``(H, W, 3)`` uint8, RGB."""
        return to_image(self.planes)


def to_image(planes: np.ndarray) -> np.ndarray:
    """``(3, H, W)`` float 0..255 to ``(H, W, 3)`` uint8."""
    return cv2.merge(list(np.clip(planes + .5, 0, 255).astype(np.uint8)))


def to_planes(image: np.ndarray) -> np.ndarray:
    """``(H, W, 3)`` uint8 to ``(3, H, W)`` float32."""
    return np.stack(cv2.split(image)).astype(np.float32)


def coverage(points, height: int, width: int):
    """Rasterise an outline.

    Args:
        points (np.ndarray | tuple): ``(N,)`` complex outline in pixels, or
            several whose union is meant; pixel (0, 0) has its centre at 0.
        height, width (int): Of the picture.

    Returns:
        tuple or None: ``(rows, columns, mask)``: two slices and a uint8
        array, 0..255; None if the shape lies outside.
    """
    outlines = points if isinstance(points, tuple) else (points, )
    # To fixed point, (N, 2), as OpenCV takes it.
    fixed = [
        (o.view(np.float64) * (1 << SHIFT)).astype(np.int32).reshape(-1, 2)
        for o in outlines
    ]
    every = fixed[0] if len(fixed) == 1 else np.concatenate(fixed)
    left, top, across, down = cv2.boundingRect(every)
    x0, y0 = max((left >> SHIFT) - 1, 0), max((top >> SHIFT) - 1, 0)
    x1 = min(((left + across) >> SHIFT) + 3, width)
    y1 = min(((top + down) >> SHIFT) + 3, height)
    if x1 <= x0 or y1 <= y0:
        return None
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    corner = (-x0 << SHIFT, -y0 << SHIFT)
    for outline in fixed:
        cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA, SHIFT, corner)
    return slice(y0, y1), slice(x0, x1), mask


def _second(paint: Paint, u, v):
    """Share of the second colour at ``u`` (across) and ``v`` (metres)."""
    if paint.pattern == 'stripes':
        return np.sin((v + paint.phase) * 62.) > .1
    if paint.pattern == 'thin stripes':
        return (np.sin((v + paint.phase) * 150.) > .35) * .8
    if paint.pattern == 'check':
        wide = np.sin(u * (paint.half / paint.scale) * 70. + .6) > .0
        return .5 * (np.sin((v + paint.phase) * 70.) > 0) + .45 * wide
    if paint.pattern == 'splice':
        return v + .0 * u < .14
    if paint.pattern == 'side stripe':
        return (abs(u - .05) > .62) & (abs(u - .05) < .86)
    return None


def fill(planes, rows, columns, mask, paint, light, opacity, offset):
    """Blend one shape into the picture."""
    region = planes[:, rows, columns]
    color = np.array(paint.rgb, np.float32)[:, None, None]
    if mask.size > FLAT:
        color = _shade(paint, color, rows, columns, light, offset)
    color = color - region
    color *= mask * np.float32(opacity / 255)
    region += color


def _shade(paint, color, rows, columns, light, offset):
    """Colour of each pixel, ``(3, h, w)``: pattern, roundness, cloth."""
    # Python floats keep float32 arrays what they are.
    ax, ay = float(paint.axis.real), float(paint.axis.imag)
    half, scale = max(float(paint.half), 1.), float(paint.scale)
    x = RAMP[columns] - float(paint.origin.real)
    y = RAMP[rows, None] - float(paint.origin.imag)
    # Distance across the axis, -1 to 1.
    u = y * (ax / half) + x * (-ay / half)
    if paint.pattern not in ('plain', 'logo'):
        v = x * (ax / scale) + y * (ay / scale)
        other = np.array(paint.second, np.float32)[:, None, None]
        color = color + (other - color) * _second(paint, u, v)
    # Brightness falls off towards both edges, as on a cylinder.
    u -= light if ax <= 0 else -light
    u *= u
    u *= -.27 * paint.gloss
    height, width = u.shape
    top, left = offset % (TILE + 1 - height), 31 * offset % (TILE + 1 - width)
    u += cloth_tile()[top:top + height, left:left + width]
    np.maximum(u, .5, out=u)
    return color * u


@lru_cache(maxsize=None)
def cloth_tile() -> np.ndarray:
    """Brightness of cloth that faces the light: noise about 1.07."""
    return np.float32(1.07) + np.float32(.075) * grain_tile()


def paint_layers(planes: np.ndarray,
                 layers: List[Layer],
                 light: float = 0.,
                 with_ids: bool = True) -> Rendered:
    """Paint shapes over a background.

    Args:
        planes (np.ndarray): ``(3, H, W)`` float32; painted in place.
        layers (list[Layer]): The farthest first.
        light (float): From the left (-1) or the right (1). Defaults to 0.
        with_ids (bool): Also keep the map of layers. Defaults to True.

    Returns:
        Rendered: Picture and map. A pixel belongs to the last shape that
        covers at least half of it and hides what is behind.

    Raises:
        ValueError: If a side is longer than ``TILE``.
    """
    height, width = planes.shape[1:]
    if max(height, width) > TILE:
        raise ValueError(f'a picture of {height}x{width} pixels is larger '
                         f'than {TILE}x{TILE}')
    ids = np.zeros((height, width), np.uint16) if with_ids else None
    for number, layer in enumerate(layers, 1):
        drawn = coverage(layer.points, height, width)
        if drawn is None:
            continue
        rows, columns, mask = drawn
        fill(planes, rows, columns, mask, layer.paint, .55 * light,
             layer.opacity, 17 * number)
        if with_ids and layer.opacity > .5:
            ids[rows, columns][mask > 127] = number
    return Rendered(planes, ids, layers)
