"""Whole photographs: several people on one ground, and people in the way."""
from dataclasses import dataclass
from typing import List, Tuple

import numpy as np

from ..people.figure_layers import figure_layers
from ..people.identity import numbered
from ..people.layers import Layer, Paint, tube
from ..people.palette import CLOTH, pick
from .background import make_place
from .camera import CAMERAS
from .scene import Scene, add_person, extent
from .things import make_thing


@dataclass(frozen=True)
class StreetOptions:
    """What a street shows.

    Args:
        people (tuple[int, int]): Fewest and most people with labels.
        things (tuple[int, int]): Fewest and most objects on the ground.
        rows (tuple[float, float]): Where people stand, in heights of the
            picture; below 1 the feet are not in it.
        eye (tuple[float, float]): Height of the camera in metres; from
            higher up people are smaller and hide each other less.
        near (float): Chance of a nearer view, which cuts people off below.
        spread (int): Places tried for each person, of which the one
            farthest from the others is taken; 1 lets people crowd.
        crowd (float): Chance of many people far away, too small to label.
        poster (float): Chance of a picture of a person on the wall.
    """
    people: Tuple[int, int] = (1, 6)
    things: Tuple[int, int] = (0, 2)
    rows: Tuple[float, float] = (.58, 1.03)
    eye: Tuple[float, float] = (1., 1.9)
    near: float = 0.
    spread: int = 1
    crowd: float = 0.
    poster: float = 0.


NEAR_ROWS = (.80, 1.50)


def street_scene(rng: np.random.Generator,
                 split: str,
                 size: Tuple[int, int],
                 options: StreetOptions = StreetOptions(),
                 seed: int = 0) -> Scene:
    """A whole photograph with several people on one ground.

    Args:
        rng (Generator): Draws everything.
        split (str): 'train', 'test' or 'other'.
        size (tuple[int, int]): Height and width in pixels.
        options (StreetOptions): What is there.
        seed (int): Of the data set. Defaults to 0.

    Returns:
        Scene: People in no particular order. Crowds and posters are among
        its things, their shapes' ``region`` is 'crowd' or 'poster'.
    """
    height, width = size
    lens = CAMERAS[int(rng.integers(len(CAMERAS)))]
    horizon = height * float(rng.uniform(.25, .42))
    eye = float(rng.uniform(*options.eye))
    place = make_place(numbered(rng, split), seed)
    scene = Scene(height, width, place, lens, horizon,
                  (.8 * height - horizon) / eye, [], [],
                  int(rng.integers(1 << 62)))
    rows = NEAR_ROWS if rng.random() < options.near else options.rows
    for _ in range(rng.integers(options.people[0], options.people[1] + 1)):
        foot = _standing_place(rng, scene, rows, options.spread)
        scene.people.append(
            add_person(rng, split, lens, seed, None, None,
                       (foot.imag - horizon) / eye, foot))
    for _ in range(rng.integers(options.things[0], options.things[1] + 1)):
        foot = _anywhere(rng, scene, options.rows)
        scene.things.append(
            (foot.imag, make_thing(rng, foot, (foot.imag - horizon) / eye)))
    if rng.random() < options.crowd:
        scene.things += _crowd(rng, scene, split, eye, seed)
    if rng.random() < options.poster:
        scene.things.append(_poster(rng, scene, split, seed))
    return scene


def _anywhere(rng, scene, rows) -> complex:
    # Nearer people are fewer in a photograph, but worth more.
    row = rows[0] + (rows[1] - rows[0]) * float(rng.random()**.8)
    return complex(rng.uniform(.04, .96) * scene.width, row * scene.height)


def _standing_place(rng, scene, rows, tries) -> complex:
    """The one of some places that is farthest from those who are there."""
    places = [_anywhere(rng, scene, rows) for _ in range(tries)]
    taken = np.array([figure.foot.real for figure in scene.people])
    if not len(taken):
        return places[0]
    return max(places, key=lambda foot: np.abs(taken - foot.real).min())


def _without_labels(layers: List[Layer], region: str) -> List[Layer]:
    """Make shapes of a person nobody's."""
    for layer in layers:
        layer.region, layer.label, layer.garments = region, 0, ()
    return layers


def _crowd(rng, scene, split, eye, seed):
    """People so far away that nobody would draw a box around each."""
    centre = rng.uniform(.15, .85) * scene.width
    far = float(rng.uniform(.05, .09)) * scene.height
    scale = far / eye
    groups = []
    for _ in range(rng.integers(5, 10)):
        foot = complex(centre + rng.normal(0, 1.1) * scale,
                       scene.horizon + far * rng.uniform(.95, 1.1))
        figure = add_person(rng, split, scene.camera, seed, None, None, scale,
                            foot)
        groups.append(
            (foot.imag, _without_labels(figure_layers(figure), 'crowd')))
    return groups


def _poster(rng, scene, split, seed):
    """A picture of a person: looks like one, is none."""
    tall = float(rng.uniform(.4, .75)) * scene.horizon
    wide = tall * float(rng.uniform(.5, .8))
    centre = complex(
        rng.uniform(.12, .88) * scene.width,
        scene.horizon * float(rng.uniform(.45, .6)))
    layers = []
    for grow, rgb in ((1.08, (52, 50, 48)), (1., pick(rng,
                                                      list(CLOTH.values())))):
        half = .5j * grow * tall
        sheet = tube((centre - half, centre + half), (.5 * grow * wide, ) * 2)
        paint = Paint(rgb, centre, 1j, wide, gloss=.2)
        layers.append(Layer(sheet, paint, 0., 'poster'))
    figure = add_person(rng, split, scene.camera, seed, None, None, 100.)
    x1, y1, x2, y2 = extent(figure)
    factor = .84 * min(wide / (x2 - x1), tall / (y2 - y1))
    middle = .5 * complex(x1 + x2, y1 + y2)
    figure.place(100. * factor, centre - factor * middle)
    # Hangs on the wall: behind all that stands on the ground.
    return scene.horizon - 1, layers + _without_labels(
        figure_layers(figure), 'poster')
