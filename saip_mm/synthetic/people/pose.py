"""How a rendered person stands: joint angles and the skeleton they give.

Body frame, in metres: x to the person's left, y up, z forward.
"""
import math
from dataclasses import dataclass
from typing import List, Tuple

import numpy as np

from .identity import Body
from .palette import pick

POSE_STREAM = 102
KINDS = ('walk', 'stand', 'run', 'sit', 'arms raised')
SIDES = ('left', 'right')
LIMBS = ('shoulder', 'elbow', 'wrist', 'hand', 'hip', 'knee', 'ankle', 'heel',
         'toe')
JOINTS = ('pelvis', 'chest', 'neck', 'head') + tuple(f'{side}_{limb}'
                                                     for side in SIDES
                                                     for limb in LIMBS)
INDEX = {name: i for i, name in enumerate(JOINTS)}

Point = Tuple[float, float, float]
Angles = Tuple[float, float, float]  # swing forward, spread, bend (radians)


@dataclass(frozen=True)
class Pose:
    """Angles in radians; pairs are (left, right)."""
    number: int
    kind: str
    lean: float
    twist: float
    head_yaw: float
    head_pitch: float
    arms: Tuple[Angles, Angles]
    inward: Tuple[float, float]
    legs: Tuple[Angles, Angles]


def make_pose(number: int, seed: int = 0, held: str = '') -> Pose:
    """Draw a pose within the joints' limits.

    Args:
        number (int): Which one; equal numbers are equal poses.
        seed (int): Of the data set. Defaults to 0.
        held (str): What the right hand holds up, which bends that arm;
            '' for nothing. Defaults to ''.

    Returns:
        Pose: The angles.
    """
    rng = np.random.default_rng([POSE_STREAM, seed, number])
    kind = pick(rng, KINDS, (.48, .30, .07, .09, .06))
    legs, arms, inward, lean = _GAITS[kind](rng)
    if held:
        bend = {'phone': 1.9, 'umbrella': 1.7, 'box': 1.4, 'cup': 1.5}[held]
        hold = (.25 + rng.normal(0, .08), .1, bend + rng.normal(0, .1))
        arms = (hold if held == 'box' else arms[0], hold)
        inward = (.35 if held == 'box' else inward[0], .35)
    return Pose(
        number=number,
        kind=kind,
        lean=float(lean + rng.normal(0, .03)),
        twist=float(rng.normal(0, .10)),
        head_yaw=float(np.clip(rng.normal(0, .32), -1., 1.)),
        head_pitch=float(np.clip(rng.normal(-.05, .14), -.5, .35)),
        arms=_plain(arms),
        inward=inward,
        legs=_plain(legs))


def _plain(pairs):
    return tuple(tuple(float(a) for a in angles) for angles in pairs)


def _walk(rng, stride=.42, pump=.35):
    phase = rng.uniform(0, 2 * np.pi)
    stride *= rng.uniform(.55, 1.1)
    legs, arms = [], []
    for sign in (1, -1):
        swing = sign * np.sin(phase)
        lift = max(0., sign * np.cos(phase))  # the leg that swings through
        legs.append((stride * swing + .12 * lift, .03,
                     .10 + .95 * lift * (.5 + stride)))
        arms.append((-.9 * stride * swing, .10 + .06 * rng.random(),
                     pump + .2 * max(0., -swing)))
    return tuple(legs), tuple(arms), (.1, .1), .04


def _run(rng):
    legs, arms, inward, _ = _walk(rng, .85, 1.5)
    return legs, arms, (.3, .3), .16


def _stand(rng):
    weight = rng.normal(0, .05)
    legs = tuple((rng.normal(.02, .05), abs(.05 + s * weight),
                  abs(rng.normal(.04, .05))) for s in (1, -1))
    styles = [((.02, .12, .12), .05), ((-.35, .45, 1.5), .9),
              ((.1, .12, 1.75), 1.2), ((-.15, .22, .55), .45),
              ((.25, .08, 2.1), .5)]
    # hanging, on the hip, folded, in a pocket, to the face
    picks = [pick(rng, range(5), (.52, .12, .12, .16, .08)) for _ in SIDES]
    arms = tuple(
        tuple(a + rng.normal(0, .05) for a in styles[p][0]) for p in picks)
    return legs, arms, tuple(styles[p][1] for p in picks), 0.


def _sit(rng):
    legs = tuple((1.45 + rng.normal(0, .06), .12 + .15 * rng.random(),
                  1.5 + rng.normal(0, .15)) for _ in SIDES)
    arms = tuple(
        (.35 + rng.normal(0, .12), .12, .8 + rng.normal(0, .2)) for _ in SIDES)
    return legs, arms, (.35, .35), .02


def _raised(rng):
    legs, arms, inward, lean = _stand(rng)
    up = (rng.uniform(1.9, 3.0), rng.uniform(.1, .35), rng.uniform(.0, .9))
    both = rng.random() < .4
    return legs, (up, up) if both else (arms[0], up), (.05, .05), lean


_GAITS = {
    'walk': _walk,
    'stand': _stand,
    'run': _run,
    'sit': _sit,
    'arms raised': _raised
}


def _limb(swing, spread, outward):
    """Direction of a limb that hangs down, swung and spread."""
    return (outward * math.sin(spread), -math.cos(spread) * math.cos(swing),
            math.cos(spread) * math.sin(swing))


def _turn(angle, vector):
    """Rotate about the upright axis; positive turns towards the left."""
    c, s = math.cos(angle), math.sin(angle)
    x, y, z = vector
    return c * x + s * z, y, -s * x + c * z


def _along(start, length, direction):
    """The point at a distance."""
    return tuple(a + length * b for a, b in zip(start, direction))


def skeleton(body: Body, pose: Pose) -> List[Point]:
    """Place the joints.

    Args:
        body (Body): Proportions.
        pose (Pose): Angles.

    Returns:
        list[tuple]: x, y, z of each of ``JOINTS``, metres, body frame; the
        lowest foot stands on y = 0. Plain floats: faster here than arrays.
    """
    h = body.height
    spine = (0., math.cos(pose.lean), math.sin(pose.lean))
    torso = h * (.300 - .12 * (body.legs - 1))
    neck = _along((0., 0., 0.), torso, spine)
    head = _along(neck, h,
                  (0., .055 + .068 * body.head, .012 + .05 * spine[2]))
    points = [(0., 0., 0.),
              _along((0., 0., 0.), .68 * torso, spine), neck, head]
    for i, out in enumerate((1., -1.)):
        points += _arm(out, neck, body, pose, i) + _leg(out, body, pose, i)
    lift = .012 * h - min(y for _, y, _ in points)
    return [(x, y + lift, z) for x, y, z in points]


def _arm(out, neck, body, pose, i):
    """Shoulder, elbow, wrist, hand."""
    h, (swing, spread, bend) = body.height, pose.arms[i]
    across = _turn(pose.twist, (out * .094 * h * body.shoulders, 0., 0.))
    x, y, z = _along(neck, 1., across)
    shoulder = (x, y - .037 * h, z)
    elbow = _along(shoulder, .170 * h,
                   _turn(pose.twist, _limb(swing, spread, out)))
    forearm = _turn(pose.twist - out * pose.inward[i],
                    _limb(swing + bend, 0., out))
    wrist = _along(elbow, .142 * h, forearm)
    return [shoulder, elbow, wrist, _along(wrist, .085 * h, forearm)]


def _leg(out, body, pose, i):
    """Hip, knee, ankle, heel, toe."""
    h, (swing, spread, bend) = body.height, pose.legs[i]
    hip = (out * .050 * h * body.hips, -.012 * h, 0.)
    knee = _along(hip, .245 * h * body.legs, _limb(swing, spread, out))
    shin = _limb(swing - bend, spread * .5, out)
    ankle = _along(knee, .232 * h * body.legs, shin)
    tilt = min(max(.75 * (swing - bend), -.7), .35)  # heel up, toe up
    c, s = math.cos(tilt), math.sin(tilt)
    ahead = _turn(out * .12, (0., s, c))
    sole = _along(ankle, -.036 * h, (0., c, -s))
    return [
        hip, knee, ankle,
        _along(sole, -.030 * h, ahead),
        _along(sole, .100 * h, ahead)
    ]
