"""Where a picture is taken: walls, streets and plants out of noise."""
from functools import lru_cache
from typing import Tuple

import cv2
import numpy as np

from ..people.palette import RGB, pick
from .render import RAMP, TILE, grain_tile, to_planes

PLACE_STREAM = 103
WALLS = ('plain', 'bricks', 'windows', 'foliage', 'panels', 'shop', 'open')
GROUNDS = ('asphalt', 'paving', 'grass', 'tiles', 'road')
TONES = np.array([(150, 148, 142), (128, 120, 110), (176, 168, 154),
                  (110, 116, 122), (146, 104, 84), (196, 194, 188),
                  (88, 92, 90), (164, 150, 128)], np.float32)


class Place:
    """A place people pass; every picture shows another piece of it.

    Args:
        number (int): Which one; equal numbers are equal places.
        seed (int): Of the data set. Defaults to 0.
    """

    def __init__(self, number: int, seed: int = 0) -> None:
        rng = np.random.default_rng([PLACE_STREAM, seed, number])
        self.number = number
        self.wall = pick(rng, WALLS)
        self.ground = pick(rng, GROUNDS)
        self.wall_rgb = _vary(rng, TONES[rng.integers(len(TONES))])
        self.trim_rgb = _vary(rng, TONES[rng.integers(len(TONES))] * .7)
        base = (92, 112, 70) if self.ground == 'grass' else TONES[rng.integers(
            len(TONES))] * rng.uniform(.6, 1.)
        self.ground_rgb = _vary(rng, np.float32(base))
        self.size = float(rng.uniform(.7, 1.5))  # of bricks, windows, tiles
        self.light = float(rng.uniform(-1, 1))
        self.exposure = float(rng.uniform(.72, 1.16))
        self.layout = int(rng.integers(1 << 30))

    def paint(self, height: int, width: int, horizon: float, scale: float,
              rng: np.random.Generator) -> np.ndarray:
        """Paint the piece of the place that a picture shows.

        Args:
            height, width (int): In pixels.
            horizon (float): Row where wall and ground meet.
            scale (float): Pixels a metre at the person.
            rng (Generator): Which piece.

        Returns:
            np.ndarray: ``(3, height, width)`` float32, 0..255.
        """
        image = np.empty((height, width, 3), np.uint8)
        row = int(np.clip(horizon, 0, height))
        image[:row], image[row:] = self.wall_rgb, self.ground_rgb
        shift = int(rng.integers(1 << 12))
        if row > 2:
            _WALL_PAINTERS[self.wall](self, image, row, scale, shift)
        if row < height - 2:
            self._ground(image, row, scale, shift)
        self._clutter(image, row, scale, rng)
        planes = to_planes(image)
        self._texture(planes, row, rng)
        return planes

    def _texture(self, planes, row, rng):
        height, width = planes.shape[1:]
        rough = 60 if self.wall == 'foliage' else 17
        grain = _crop(height, width, rng)
        planes[:, :row] += rough * grain[:row]
        rough = 30 if self.ground in ('grass', 'asphalt') else 16
        planes[:, row:] += rough * grain[row:]
        slope = RAMP[:width] * np.float32(.24 * self.light / width)
        slope += np.float32(1 - .12 * self.light)
        planes *= slope * np.float32(self.exposure)
        np.maximum(planes, 0, out=planes)

    def _ground(self, image, row, scale, shift):
        """Lines of paving, converging with distance."""
        height, width = image.shape[:2]
        if self.ground in ('asphalt', 'grass'):
            return
        line = tuple(int(c * .8) for c in self.ground_rgb)
        depth = height - row + .35 * scale
        step = .6 * self.size
        if self.ground == 'road':
            line, step = (205, 203, 196), 3. * self.size
        offset = (shift % 997) / 997
        for k in range(1, 9):
            y = int(row + depth / (k + offset) - .1 * scale)
            cv2.line(image, (0, y), (width, y), line, 1, cv2.LINE_AA)
        vanish = width * (.2 + .6 * ((shift // 7) % 101) / 101)
        for k in range(-8, 9):
            x = int(vanish + (k + offset) * step * scale * 1.6)
            cv2.line(image, (int(vanish + .15 * (x - vanish)), row),
                     (x, height), line, 2 if self.ground == 'road' else 1,
                     cv2.LINE_AA)

    def _clutter(self, image, row, scale, rng):
        """Things in the distance: cars, poles, bushes, bins, signs."""
        height, width = image.shape[:2]
        for _ in range(int(rng.integers(0, 4))):
            x = int(rng.uniform(-.1, 1.1) * width)
            tone = rng.uniform(30, 190)
            rgb = _vary(rng, tone + rng.normal(0, 24, 3))
            kind = rng.integers(5)
            size = scale * rng.uniform(.35, .8)
            foot = int(row + rng.uniform(0, .12) * height)
            if kind == 0:
                _car(image, x, foot, size, rgb)
            elif kind == 1:
                wide = max(int(.07 * size), 1)
                cv2.rectangle(image, (x, 0), (x + wide, foot), _dim(rgb), -1)
            elif kind == 2:
                for _ in range(6):
                    spot = foot - int(rng.uniform(.1, .7) * size)
                    green = 44 + rgb[1] // 4 + int(rng.integers(30))
                    cv2.circle(image,
                               (x + int(rng.uniform(-.5, .5) * size), spot),
                               int(rng.uniform(.12, .3) * size) + 1,
                               (green * 2 // 3, green, green // 2), -1,
                               cv2.LINE_AA)
            elif kind == 3:
                cv2.rectangle(image, (x, foot - int(.9 * size)),
                              (x + int(.5 * size), foot), _dim(rgb), -1)
            else:
                top = foot - int(2.2 * size)
                cv2.rectangle(image, (x, top),
                              (x + int(.8 * size), top + int(.5 * size)), rgb,
                              -1)


def _vary(rng, tone) -> RGB:
    value = tone * rng.uniform(.8, 1.15) + rng.normal(0, 9, 3)
    return tuple(int(c) for c in np.clip(value, 15, 240))


def _dim(rgb: RGB, by: float = .6) -> RGB:
    return tuple(int(c * by) for c in rgb)


def _crop(height: int, width: int, rng) -> np.ndarray:
    """A piece of the noise tile, enlarged where it is too small."""
    grain = grain_tile()
    zoom = max(1., (height + 1) / TILE, (width + 1) / TILE)
    high, wide = int(height / zoom), int(width / zoom)
    top = int(rng.integers(TILE - high + 1))
    left = int(rng.integers(TILE - wide + 1))
    piece = grain[top:top + high, left:left + wide]
    if zoom > 1:
        piece = cv2.resize(piece, (width, height))
    return piece


@lru_cache(maxsize=256)
def make_place(number: int, seed: int = 0) -> Place:
    """The place of a number; pictures of one place come in a row."""
    return Place(number, seed)


def _car(image, x, foot, size, rgb):
    long, high = int(1.9 * size), int(.62 * size)
    for wheel in (-.6, .6):
        cv2.circle(image, (x + int(wheel * long), foot), int(.2 * size),
                   (24, 24, 26), -1, cv2.LINE_AA)
    cv2.rectangle(image, (x - long, foot - high), (x + long, foot), rgb, -1)
    roof = np.array([(x - long * .6, foot - high),
                     (x - long * .35, foot - 1.75 * high),
                     (x + long * .45, foot - 1.75 * high),
                     (x + long * .7, foot - high)], np.int32)
    cv2.fillPoly(image, [roof], (70, 80, 88), cv2.LINE_AA)


def _bricks(place, image, row, scale, shift):
    line = _dim(place.wall_rgb, .78)
    high = max(int(.16 * place.size * scale), 4)
    for k, y in enumerate(range(row - shift % high, -high, -high)):
        cv2.line(image, (0, y), (image.shape[1], y), line, 1)
        for x in range((k % 2) * high - shift % (2 * high), image.shape[1],
                       2 * high):
            cv2.line(image, (x, y - high), (x, y), line, 1)


def _grid(place, image, row, scale, shift, size, gap, rgb):
    """Rectangles in rows: windows, panels, shop fronts."""
    wide, high = (max(int(s * place.size * scale), 6) for s in size)
    across, up = wide + int(gap * scale) + 2, high + int(gap * scale) + 2
    bits = place.layout
    for i, y in enumerate(range(row - int(.5 * scale) - high, -high, -up)):
        for j, x in enumerate(
                range(-(shift % across), image.shape[1], across)):
            lit = (bits >> ((5 * i + j) % 29)) & 1
            cv2.rectangle(image, (x, y), (x + wide, y + high),
                          _dim(rgb, 1.25 if lit else .8), -1)
            cv2.line(image, (x, y + high), (x + wide, y + high), _dim(rgb, .5),
                     1)


def _windows(place, image, row, scale, shift):
    _grid(place, image, row, scale, shift, (.8, 1.1), .5, (86, 98, 110))


def _panels(place, image, row, scale, shift):
    _grid(place, image, row, scale, shift, (1.4, .9), .04, place.trim_rgb)


def _shop(place, image, row, scale, shift):
    _grid(place, image, row, scale, shift, (1.5, 1.9), .25, (104, 110, 112))
    y = row - int(2.5 * place.size * scale)
    cv2.rectangle(image, (0, y - int(.4 * scale)), (image.shape[1], y),
                  place.trim_rgb, -1)


def _foliage(place, image, row, scale, shift):
    green = (56 + place.layout % 30, 82 + place.layout % 41, 48)
    image[:row] = green
    rng = np.random.default_rng([place.layout, shift])
    for _ in range(14):
        spot = (int(rng.uniform(0, image.shape[1])), int(rng.uniform(0, row)))
        radius = max(int(rng.uniform(.12, .4) * scale), 2)
        cv2.circle(image, spot, radius, _dim(green, rng.uniform(.55, 1.35)),
                   -1, cv2.LINE_AA)


def _open(place, image, row, scale, shift):
    """Sky over a far, low row of houses."""
    sky = np.linspace(0, 1, max(row, 1))[:, None, None]
    image[:row] = np.array((150, 178, 206)) * (1 - sky) + np.array(
        (206, 210, 212)) * sky
    step = max(int(.8 * scale), 4)
    for j, x in enumerate(range(-(shift % step), image.shape[1], step)):
        top = row - int(scale * (.25 + .5 * ((place.layout >> j % 25) & 3)))
        cv2.rectangle(image, (x, top), (x + step, row),
                      _dim(place.wall_rgb, .8 + .1 * (j % 3)), -1)


def _plain(place, image, row, scale, shift):
    y = max(row - int(.25 * scale), 0)
    image[y:row] = place.trim_rgb


_WALL_PAINTERS = dict(
    plain=_plain,
    bricks=_bricks,
    windows=_windows,
    foliage=_foliage,
    panels=_panels,
    shop=_shop,
    open=_open)


def ground_shadow(planes: np.ndarray,
                  spots: Tuple[complex, ...],
                  radius: float,
                  strength: float = .4) -> None:
    """Darken the ground where somebody stands, in place.

    Args:
        planes (np.ndarray): ``(3, H, W)`` float32.
        spots (tuple[complex]): The soles, in pixels.
        radius (float): Half width of each shadow, in pixels.
        strength (float): 0 nothing, 1 black. Defaults to 0.4.
    """
    height, width = planes.shape[1:]
    for spot in spots:
        x0, x1 = (int(spot.real + s * 2 * radius) for s in (-1, 1))
        y0, y1 = (int(spot.imag + s * radius) for s in (-1, 1))
        x0, x1 = max(x0, 0), min(x1 + 1, width)
        y0, y1 = max(y0, 0), min(y1 + 1, height)
        if x1 <= x0 or y1 <= y0:
            continue
        x = (np.arange(x0, x1, dtype=np.float32) - spot.real) / (1.7 * radius)
        y = (np.arange(y0, y1, dtype=np.float32) - spot.imag) / (.7 * radius)
        dark = np.clip(1 - x * x - (y * y)[:, None], 0, 1)
        planes[:, y0:y1, x0:x1] *= 1 - np.float32(strength) * dark
