"""How a rendered person stands: joint angles and the skeleton they give.

Body frame, in metres: x to the person's left, y up, z forward.
"""
from dataclasses import dataclass
from typing import Tuple

import numpy as np

from .identity import Body

POSE_STREAM = 102
KINDS = ('walk', 'stand', 'run', 'sit', 'arms raised')
SIDES = ('left', 'right')
LIMBS = ('shoulder', 'elbow', 'wrist', 'hand', 'hip', 'knee', 'ankle', 'heel',
         'toe')
JOINTS = ('pelvis', 'chest', 'neck', 'head') + tuple(
    f'{side}_{limb}' for side in SIDES for limb in LIMBS)
INDEX = {name: i for i, name in enumerate(JOINTS)}

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
    kind = str(rng.choice(KINDS, p=[.48, .30, .07, .09, .06]))
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
        arms=arms,
        inward=inward,
        legs=legs)


def _walk(rng, stride=.42, pump=.35):
    phase = rng.uniform(0, 2 * np.pi)
    stride *= rng.uniform(.55, 1.1)
    legs, arms = [], []
    for sign in (1, -1):
        swing = sign * np.sin(phase)
        lift = max(0., sign * np.cos(phase))  # the leg that swings through
        legs.append((stride * swing + .12 * lift, .03, .10 + .95 * lift *
                     (.5 + stride)))
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
    picks = rng.choice(5, 2, p=[.52, .12, .12, .16, .08])
    arms = tuple(
        tuple(a + rng.normal(0, .05) for a in styles[p][0]) for p in picks)
    return legs, arms, tuple(styles[p][1] for p in picks), 0.


def _sit(rng):
    legs = tuple((1.45 + rng.normal(0, .06), .12 + .15 * rng.random(),
                  1.5 + rng.normal(0, .15)) for _ in SIDES)
    arms = tuple((.35 + rng.normal(0, .12), .12, .8 + rng.normal(0, .2))
                 for _ in SIDES)
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
    return np.array([
        outward * np.sin(spread), -np.cos(spread) * np.cos(swing),
        np.cos(spread) * np.sin(swing)
    ])


def _turn(angle, vector):
    """Rotate about the upright axis; positive turns towards the left."""
    c, s = np.cos(angle), np.sin(angle)
    x, y, z = vector
    return np.array([c * x + s * z, y, -s * x + c * z])


def skeleton(body: Body, pose: Pose) -> np.ndarray:
    """Place the joints.

    Args:
        body (Body): Proportions.
        pose (Pose): Angles.

    Returns:
        np.ndarray: ``(len(JOINTS), 3)`` float64, metres, body frame; the
        lowest foot stands on y = 0.
    """
    h = body.height
    points = np.zeros((len(JOINTS), 3))
    spine = np.array([0., np.cos(pose.lean), np.sin(pose.lean)])
    torso = h * (.300 - .24 * (body.legs - 1) * .5)
    points[INDEX['chest']] = .68 * torso * spine
    points[INDEX['neck']] = neck = torso * spine
    points[INDEX['head']] = neck + h * np.array(
        [0., .055 + .068 * body.head, .012 + .5 * np.sin(pose.lean) * .1])
    for i, side in enumerate(SIDES):
        out = 1. if side == 'left' else -1.
        _place_arm(points, side, out, neck, body, pose, i)
        _place_leg(points, side, out, body, pose, i)
    points[:, 1] -= points[:, 1].min() - .012 * h
    return points


def _place_arm(points, side, out, neck, body, pose, i):
    h, (swing, spread, bend) = body.height, pose.arms[i]
    across = _turn(pose.twist, np.array([out * .100 * h * body.shoulders, 0,
                                         0]))
    shoulder = neck + across - [0, .020 * h, 0]
    elbow = shoulder + .170 * h * _turn(pose.twist, _limb(swing, spread, out))
    turned = _turn(-out * pose.inward[i], _limb(swing + bend, 0., out))
    forearm = _turn(pose.twist, turned)
    wrist = elbow + .142 * h * forearm
    for limb, point in zip(('shoulder', 'elbow', 'wrist', 'hand'),
                           (shoulder, elbow, wrist,
                            wrist + .085 * h * forearm)):
        points[INDEX[f'{side}_{limb}']] = point


def _place_leg(points, side, out, body, pose, i):
    h, (swing, spread, bend) = body.height, pose.legs[i]
    hip = np.array([out * .050 * h * body.hips, -.012 * h, 0])
    knee = hip + .245 * h * body.legs * _limb(swing, spread, out)
    shin = _limb(swing - bend, spread * .5, out)
    ankle = knee + .232 * h * body.legs * shin
    tilt = np.clip(.75 * (swing - bend), -.7, .35)  # heel up, toe up
    ahead = _turn(out * .12, np.array([0., np.sin(tilt), np.cos(tilt)]))
    sole = ankle - .036 * h * np.array([0., np.cos(tilt), -np.sin(tilt)])
    for limb, point in zip(('hip', 'knee', 'ankle', 'heel', 'toe'),
                           (hip, knee, ankle, sole - .030 * h * ahead,
                            sole + .100 * h * ahead)):
        points[INDEX[f'{side}_{limb}']] = point
