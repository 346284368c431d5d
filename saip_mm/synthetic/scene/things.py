"""Objects that stand in front of people, and seats."""
from typing import List

import numpy as np

from ..people.figure import Figure, darker
from ..people.layers import Layer, Paint, capsule, ellipse, tube
from ..people.palette import pick

KINDS = ('pole', 'bush', 'bin', 'sign', 'car', 'rail')


def _thing(points, rgb, half, origin, depth=1.):
    paint = Paint(rgb, origin, 1j, max(half, 1.), gloss=.8)
    return Layer(points, paint, depth, 'thing')


def make_thing(rng: np.random.Generator, foot: complex,
               scale: float) -> List[Layer]:
    """Make up an object that may hide people.

    Args:
        rng (Generator): Draws kind, size and colour.
        foot (complex): Where it stands, in pixels.
        scale (float): Pixels a metre there.

    Returns:
        list[Layer]: In painting order.
    """
    kind = pick(rng, KINDS)
    rgb = tuple(
        int(c) for c in rng.uniform(.5, 1.2) *
        np.array([(120, 122, 126), (96, 78, 62), (60, 84, 110), (132, 48, 44),
                  (70, 92, 66)][rng.integers(5)]))
    size = float(rng.uniform(.8, 1.2)) * scale
    return _MAKERS[kind](rng, foot, size, rgb)


def _pole(rng, foot, size, rgb):
    half = rng.uniform(.04, .10) * size
    return [
        _thing(tube((foot - 4j * size, foot), (half, half)), rgb, half, foot)
    ]


def _bush(rng, foot, size, rgb):
    green = (44, int(rng.integers(66, 100)), 40)
    blobs = tuple(
        ellipse(
            foot +
            size * complex(rng.uniform(-.45, .45), rng.uniform(-.7, -.1)),
            *(size * rng.uniform(.14, .3, 2))) for _ in range(7))
    layers = [_thing(blobs, green, .7 * size, foot)]
    for blob in blobs[::2]:
        lit = blob.mean() + .6 * (blob - blob.mean()) - .08j * size
        layers.append(_thing(lit, (60, green[1] + 26, 52), .3 * size, foot))
    return layers


def _bin(rng, foot, size, rgb):
    half = .28 * size
    body = tube((foot - .85j * size, foot), (1.05 * half, .9 * half))
    lid = tube((foot - .97j * size, foot - .83j * size),
               (1.15 * half, 1.2 * half))
    return [
        _thing(body, rgb, half, foot),
        _thing(lid, darker(rgb, .7), half, foot)
    ]


def _sign(rng, foot, size, rgb):
    half = rng.uniform(.2, .4) * size
    top = foot - rng.uniform(.9, 1.6) * 1j * size
    post = tube((top, foot), (.03 * size, .03 * size))
    board = tube((top - .3j * size, top + .2j * size), (half, half))
    return [
        _thing(post, (90, 92, 96), .03 * size, foot),
        _thing(board, rgb, 3 * half, foot),
        _thing(
            tube((top - .1j * size, top), (.7 * half, .7 * half)),
            (222, 220, 210), 3 * half, foot)
    ]


def _car(rng, foot, size, rgb):
    side = 1 if rng.random() < .5 else -1
    start = foot + side * .2 * size
    body = np.array([
        start - .45j * size, start + side * .15 * size - .62j * size,
        start + side * 1.2 * size - .7j * size,
        start + side * 3. * size - .75j * size,
        start + side * 3. * size + .05j * size, start + .05j * size
    ])
    wheel = ellipse(start + side * .6 * size, .27 * size, .27 * size)
    return [
        _thing(body, rgb, 3 * size, foot),
        _thing(wheel, (26, 26, 28), .3 * size, foot)
    ]


def _rail(rng, foot, size, rgb):
    bars = [
        capsule(foot + size * complex(-3, -h), foot + size * complex(3, -h),
                .035 * size, .035 * size) for h in (.45, .9)
    ]
    bars += [
        capsule(foot + size * complex(x, -.95), foot + size * x, .03 * size,
                .03 * size) for x in (-1.2, 0., 1.2)
    ]
    return [_thing(tuple(bars), rgb, size, foot)]


_MAKERS = dict(
    pole=_pole, bush=_bush, bin=_bin, sign=_sign, car=_car, rail=_rail)


def seat_layers(fig: Figure) -> List[Layer]:
    """What a sitting person sits on, placed among that person's shapes."""
    if fig.pose.kind != 'sit':
        return []
    hips = .5 * (fig['left_hip'] + fig['right_hip'])
    top = hips + .055j * fig.unit
    low = complex(top.real, max(fig.foot.imag, top.imag + 2))
    half = fig.across(.26, .22)
    # From behind the seat hides the legs, else they hang before it.
    depth = -.7 if fig.facing < -.3 else -3.
    seat = _thing(
        tube((top, low), (half, half)), (112, 88, 66), 2 * half, top, depth)
    edge = _thing(
        tube((top - .012j * fig.unit, top + .03j * fig.unit),
             (1.08 * half, 1.08 * half)), (140, 112, 84), 2 * half, top, depth)
    return [seat, edge]
