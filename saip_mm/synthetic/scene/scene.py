"""Who is where in a picture: people, things, place and camera."""
from dataclasses import dataclass, field
from typing import List, Optional, Tuple

import numpy as np

from ..people.figure import Figure
from ..people.figure_layers import figure_layers
from ..people.identity import make_identity, numbered
from ..people.layers import Layer
from ..people.pose import make_pose
from .background import Place, ground_shadow, make_place
from .camera import CAMERAS, Camera, expose
from .render import Rendered, paint_layers
from .things import make_thing, seat_layers


@dataclass
class Scene:
    """A picture before it is painted.

    Args:
        height, width (int): In pixels.
        place (Place): Background.
        camera (Camera): Style.
        horizon (float): Row where wall and ground meet.
        scale (float): Pixels a metre, of the place.
        people (list[Figure]): The first is the one a crop is about.
        things (list): ``(foot row, layers)`` of each object.
        captured (int): Seed of what differs between two pictures of the
            same scene: the place's piece, noise.
    """
    height: int
    width: int
    place: Place
    camera: Camera
    horizon: float
    scale: float
    people: List[Figure] = field(default_factory=list)
    things: List[Tuple[float, List[Layer]]] = field(default_factory=list)
    captured: int = 0

    def layers(self) -> List[Layer]:
        """All shapes, the farthest person or thing first."""
        groups = [(row, layers) for row, layers in self.things]
        for number, figure in enumerate(self.people):
            shapes = figure_layers(figure)
            for shape in shapes:
                shape.owner = number
            shapes = sorted(
                shapes + seat_layers(figure), key=lambda s: s.depth)
            groups.append((figure.foot.imag, shapes))
        groups.sort(key=lambda group: group[0])
        return [layer for _, layers in groups for layer in layers]

    def render(self, with_ids: bool = True) -> Rendered:
        """Paint the scene, before the camera's own effects."""
        rng = np.random.default_rng(self.captured)
        planes = self.place.paint(self.height, self.width, self.horizon,
                                  self.scale, rng)
        for figure in self.people:
            soles = tuple(.5 * (figure[f'{side}_heel'] + figure[f'{side}_toe'])
                          for side in ('left', 'right'))
            ground_shadow(planes, soles, .085 * figure.unit)
        return paint_layers(planes, self.layers(), self.place.light, with_ids)

    def photograph(self, rendered: Rendered) -> np.ndarray:
        """The picture as the camera delivers it.

        Returns:
            np.ndarray: ``(H, W, 3)`` uint8, RGB.
        """
        rng = np.random.default_rng([self.captured, 1])
        return expose(rendered.image, self.camera, rng)


@dataclass(frozen=True)
class CropOptions:
    """How persons are cut out, as a detector would.

    Args:
        heights (tuple[int, int]): Range of heights in pixels.
        aspect (float, optional): Width / height; None follows the person.
        truncated (float): Chance that the frame cuts the person.
        others (float): Chance of somebody else behind; half of it, in
            front.
        covered (float): Chance of an object in front.
    """
    heights: Tuple[int, int] = (120, 256)
    aspect: Optional[float] = None
    truncated: float = .14
    others: float = .22
    covered: float = .12


def add_person(rng: np.random.Generator,
               split: str,
               camera: Camera,
               seed: int,
               number: Optional[int] = None,
               yaw: Optional[float] = None,
               scale: float = 1.,
               foot: complex = 0j) -> Figure:
    """Draw a person with a pose and a view.

    Args:
        rng (Generator): Draws what is not given.
        split (str): 'train', 'test' or 'other': whose persons and poses.
        camera (Camera): Looks down by its pitch.
        seed (int): Of the data set.
        number (int, optional): The identity.
        yaw (float, optional): See ``figure.view_matrix``.
        scale, foot: See ``figure.Figure``.
    """
    drawn = numbered(rng, split)
    identity = make_identity(drawn if number is None else number, seed)
    pose = make_pose(numbered(rng, split), seed, identity.held)
    angle = float(rng.uniform(-np.pi, np.pi))
    pitch = camera.pitch + float(rng.normal(0, .03))
    return Figure(identity, pose, angle if yaw is None else yaw, pitch, scale,
                  foot)


def extent(figure: Figure) -> np.ndarray:
    """Box of head, trunk and limbs, ``x1, y1, x2, y2`` in pixels."""
    margin = .035 * figure.unit
    xs, ys = ([getattr(p, part) for p in figure.xy]
              for part in ('real', 'imag'))
    low, high = (min(xs), min(ys)), (max(xs), max(ys))
    head = figure['head'].imag - 1.15 * figure.scale * figure.head_half[1]
    return np.array([
        low[0] - margin,
        min(head, low[1] - .01 * figure.unit), high[0] + margin,
        high[1] + .5 * margin
    ])


def crop_scene(rng: np.random.Generator,
               split: str,
               options: CropOptions = CropOptions(),
               identity: Optional[int] = None,
               camera: Optional[int] = None,
               place: Optional[int] = None,
               yaw: Optional[float] = None,
               seed: int = 0) -> Scene:
    """A person crop: one person fills the picture.

    Args:
        rng (Generator): Draws everything that is not given.
        split (str): 'train', 'test' or 'other'.
        options (CropOptions): Size, truncation, occlusion.
        identity (int, optional): Number of the person.
        camera (int, optional): Index into ``CAMERAS``.
        place (int, optional): Number of the place.
        yaw (float, optional): See ``figure.view_matrix``.
        seed (int): Of the data set. Defaults to 0.

    Returns:
        Scene: Its first person is the one the crop is about.
    """
    drawn = int(rng.integers(len(CAMERAS)))
    lens = CAMERAS[drawn if camera is None else camera]
    drawn = numbered(rng, split)
    where = make_place(drawn if place is None else place, seed)
    figure = add_person(rng, split, lens, seed, identity, yaw, 100.)
    height, width = _fit(rng, figure, options)
    _shift(rng, figure, height, width, options)
    horizon = figure.foot.imag - figure.scale * float(
        rng.uniform(.0, .9) + 2.2 * lens.pitch)
    scene = Scene(height, width, where, lens, horizon, figure.scale, [figure],
                  [], int(rng.integers(1 << 62)))
    _company(rng, scene, split, options, seed)
    return scene


def _fit(rng, figure, options):
    """Scale and place the person so that it fills a frame."""
    x1, y1, x2, y2 = extent(figure)
    low, high = options.heights
    height = int(round(np.exp(rng.uniform(np.log(low), np.log(high + 1e-9)))))
    tall, wide = (height * rng.uniform(.84, .97) for _ in range(2))
    wide = wide * (options.aspect or 1.)
    factor = tall / (y2 - y1)
    if options.aspect is not None:
        factor = min(factor, wide / (x2 - x1))
        width = int(round(height * options.aspect))
    else:
        width = factor * (x2 - x1) / rng.uniform(.72, .97)
        width = int(round(np.clip(width, .3 * height, .8 * height)))
        factor = min(factor, .98 * width / (x2 - x1))
    centre = .5 * complex(x1 + x2, y1 + y2) * factor
    target = complex(width * rng.normal(.5, .025),
                     height * rng.normal(.5, .012))
    figure.place(figure.scale * factor, target - centre)
    return height, width


def _shift(rng, figure, height, width, options):
    """Let the frame cut the person off."""
    chance, kind = rng.random(), rng.random()
    amount, side = rng.uniform(.12, .42), rng.choice((-1., 1.))
    if chance >= options.truncated:
        return
    if kind < .65:  # the legs are missing: zoom on the upper body
        zoom = 1 + amount
        top = .03 * height - zoom * (extent(figure)[1] - figure.foot.imag)
        x = .5 * width + zoom * (figure.foot.real - .5 * width)
        figure.place(figure.scale * zoom, complex(x, top))
    else:
        figure.place(figure.scale, figure.foot + side * amount * width * .8)


def _company(rng, scene, split, options, seed):
    """Other people behind and before, and an object in front."""
    target = scene.people[0]
    for chance, near in ((options.others, -1), (options.others / 2, 1)):
        if rng.random() < chance:
            side = rng.choice((-1, 1)) * rng.uniform(.30, .75)
            back = near * rng.uniform(.05, .3)
            scale = target.scale * (1 + .25 * back)
            foot = target.foot + target.scale * complex(side, .35 * back)
            person = add_person(rng, split, scene.camera, seed, None, None,
                                scale, foot)
            scene.people.append(person)
    if rng.random() < options.covered:
        foot = target.foot + target.scale * complex(
            rng.uniform(-.55, .55), rng.uniform(.05, .2))
        scene.things.append((foot.imag + 1, make_thing(rng, foot,
                                                       target.scale)))
