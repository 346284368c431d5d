"""A posed person as the camera sees it, and the order it is painted in."""
import math
from typing import Tuple

import numpy as np

from .identity import Identity, Wear
from .layers import Paint
from .palette import RGB
from .pose import INDEX, Pose, skeleton

# Depth bands: what is behind the trunk, legs, then trunk and its front.
BEHIND, LEGS, TRUNK = -2., -1., 0.
SHADOW_SIDE = .62  # brightness of what is drawn in the garment's own shade


def view_matrix(yaw: float, pitch: float) -> np.ndarray:
    """Turn body coordinates into right, up and towards the camera.

    Args:
        yaw (float): 0 faces the camera, pi / 2 looks to the picture's
            right, where the person's left side is the far one.
        pitch (float): How far the camera looks down.

    Returns:
        np.ndarray: ``(3, 3)``; rows are the three directions.

    Example:
        >>> left, forward = np.eye(3)[0], np.eye(3)[2]
        >>> front, right = view_matrix(0, 0), view_matrix(np.pi / 2, 0)
        >>> (front @ left)[0], (right @ forward)[0].round(6)
        (np.float64(1.0), np.float64(1.0))
        >>> (right @ left)[2].round(6)  # away from the camera
        np.float64(-1.0)
    """
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = np.cos(pitch), np.sin(pitch)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ turn


class Figure:
    """Projection of one person.

    Args:
        identity (Identity): Who.
        pose (Pose): How.
        yaw, pitch (float): See :func:`view_matrix`.
        scale (float): Pixels a metre.
        foot (complex): Where the ground below the pelvis is, in pixels.
    """

    # t along the spine, half width and half depth relative to the height,
    # offset forwards: hips, waist, chest, shoulders, collar.
    RINGS = np.array([(-.14, .086, .070, -.008), (.05, .088, .074, -.010),
                      (.36, .072, .060, .002), (.66, .088, .070, .006),
                      (.84, .099, .062, .000), (.95, .072, .048, .000),
                      (1.01, .036, .036, .000)])

    def __init__(self,
                 identity: Identity,
                 pose: Pose,
                 yaw: float,
                 pitch: float,
                 scale: float,
                 foot: complex = 0j) -> None:
        self.identity, self.pose = identity, pose
        self.scale, self.foot, self.yaw = scale, foot, yaw
        self.matrix = view_matrix(yaw, pitch)
        # Plain floats: single points are faster without NumPy.
        self.m = self.matrix.tolist()
        self.body = skeleton(identity.body, pose)
        self._project()
        self.facing = float(self.matrix[2, 2])  # 1 front, -1 back
        self.unit = identity.body.height * scale  # pixels a body height
        self.girth = identity.body.girth
        self.rings = self._trunk_rings().tolist()
        pelvis, neck = (self.body[INDEX[j]] for j in ('pelvis', 'neck'))
        self.spine = pelvis, [b - a for a, b in zip(pelvis, neck)]
        self.head_matrix = self.matrix @ _head_turn(pose)
        self.head_m = self.head_matrix.tolist()
        self.up = self._up()

    def _project(self) -> None:
        self.xy = [self.point(xyz)[0] for xyz in self.body]
        # Level depth: what is higher is not nearer to a raised camera.
        s, c = math.sin(self.yaw), math.cos(self.yaw)
        self.depth = [c * z - s * x for x, _, z in self.body]

    def place(self, scale: float, foot: complex) -> 'Figure':
        """Move to another place and size, in place."""
        factor = scale / self.scale
        self.xy = [foot + factor * (xy - self.foot) for xy in self.xy]
        self.scale, self.foot = scale, foot
        self.unit = self.identity.body.height * scale
        return self

    def _up(self) -> complex:
        spine = self['neck'] - self['pelvis']
        return spine / max(abs(spine), 1e-6)

    def __getitem__(self, joint: str) -> complex:
        return self.xy[INDEX[joint]]

    def z(self, *joints: str) -> float:
        """Mean depth of joints along the ground, in metres."""
        return sum(self.depth[INDEX[j]] for j in joints) / len(joints)

    def point(self, xyz) -> Tuple[complex, float]:
        """Project a point of the body frame, in metres."""
        x, y, z = xyz
        (a, b, c), (d, e, f), (g, h, i) = self.m
        seen = complex(a * x + b * y + c * z, -(d * x + e * y + f * z))
        return self.foot + self.scale * seen, g * x + h * y + i * z

    def head_point(self, x: float, y: float,
                   z: float) -> Tuple[complex, float]:
        """Project a point of the head frame.

        Args:
            x, y, z (float): Left, up, forward; 1 is the head's surface.

        Returns:
            tuple[complex, float]: Pixels, and the depth relative to the
            head's centre in metres.
        """
        a, b, c = self.head_half
        x, y, z = x * a, y * b, z * c
        (a, b, c), (d, e, f), (g, h, i) = self.head_m
        seen = complex(a * x + b * y + c * z, -(d * x + e * y + f * z))
        return self['head'] + self.scale * seen, g * x + h * y + i * z

    @property
    def head_half(self) -> Tuple[float, float, float]:
        """Half width, height and depth of the head, in metres."""
        size = self.identity.body.head * self.identity.body.height
        return .044 * size, .066 * size, .054 * size

    def _trunk_rings(self) -> np.ndarray:
        """``RINGS`` of this person, in metres: t, width, depth, offset."""
        body, rings = self.identity.body, self.RINGS.copy()
        rings[:, 1:3] *= body.girth * body.height
        rings[:, 3] *= body.height
        rings[:2, 1] *= body.hips
        rings[3:, 1] *= body.shoulders / max(body.girth, 1.)**.6
        waist = .93 if self.identity.female else 1.06
        rings[2, 1] *= waist
        rings[2, 3] += .12 * max(0., body.girth - 1.1) * body.height
        if self.identity.female and self.identity.age != 'child':
            rings[3, 3] += .010 * body.height
        return rings

    def ring(self, t: float) -> Tuple[float, float, float]:
        """Width, depth and forward offset of the trunk at ``t``."""
        rings = self.rings
        for low, high in zip(rings, rings[1:]):
            if t <= high[0]:
                break
        share = min(max((t - low[0]) / (high[0] - low[0]), 0.), 1.)
        return tuple(a + share * (b - a) for a, b in zip(low[1:], high[1:]))

    def across(self, width: float, depth: float) -> float:
        """Half width in pixels of an upright ellipse seen by the camera."""
        right, _, deep = self.m[0]
        return self.scale * math.hypot(width * right, depth * deep)

    def surface(self, t: float, angle: float = 0., out: float = 1.):
        """Point on the trunk.

        Args:
            t (float): 0 at the pelvis, 1 at the neck.
            angle (float): 0 in front, positive to the person's left.
            out (float): 1 on the surface, more is outside.

        Returns:
            tuple[complex, float]: Pixels, and how far its normal faces the
            camera (-1 to 1).
        """
        width, depth, ahead = self.ring(t)
        (x, y, z), (dx, dy, dz) = self.spine
        s, c = math.sin(angle), math.cos(angle)
        near = self.m[2]
        spot, _ = self.point((x + t * dx + out * width * s, y + t * dy,
                              z + t * dz + ahead + out * depth * c))
        return spot, near[0] * s + near[2] * c

    def trunk(self, ts, ease: float = 0.) -> Tuple[np.ndarray, np.ndarray]:
        """Centres (complex) and half widths of the trunk, in pixels."""
        base, spine = self['pelvis'], self['neck'] - self['pelvis']
        (right, _, deep), (_, _, lift) = self.m[0], self.m[1]
        shift = self.scale * complex(deep, -lift)
        centres, halves = [], []
        for t in ts:
            width, depth, ahead = self.ring(t)
            centres.append(base + t * spine + ahead * shift)
            halves.append(self.scale * math.hypot(width * right, depth * deep))
        return np.array(centres), np.array(halves) + ease * self.unit

    def paint(self,
              wear: Wear,
              start: complex,
              end: complex,
              half: float,
              phase: float = 0.) -> Paint:
        """Paint of a garment along an axis."""
        axis = (end - start) / max(abs(end - start), 1e-6)
        return Paint(wear.rgb, start, axis, max(half, 1.), wear.second_rgb,
                     wear.pattern, self.scale, phase)

    def plain(self,
              rgb: RGB,
              start: complex,
              end: complex,
              half: float,
              gloss: float = 1.) -> Paint:
        """Paint without pattern along an axis."""
        axis = (end - start) / max(abs(end - start), 1e-6)
        return Paint(rgb, start, axis, max(half, 1.), gloss=gloss)


def _head_turn(pose: Pose) -> np.ndarray:
    yaw, pitch = pose.head_yaw + pose.twist, pose.head_pitch
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = np.cos(pitch), np.sin(pitch)
    nod = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    return turn @ nod


def darker(rgb: RGB, factor: float = SHADOW_SIDE) -> RGB:
    """The same colour in the shade."""
    return tuple(int(c * factor) for c in rgb)
